import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type AuditEntry, nextLine, verifyAudit } from '../../../src/audit/chain.ts'

const test = suite('src/audit/chain')

const who = { user: 'anna', machine: 'laptop' }
const entry: AuditEntry = { what: 'deploy', result: 'done' }

/** A file on a host, as the real one grows: at once, and its head after it. */
class File {
  bytes: Buffer = Buffer.alloc(0)
  head: string | undefined

  append(given: AuditEntry = entry, { withHead = true, torn = 0 } = {}): void {
    const now = { head: this.head, sizeBytes: this.bytes.length, nowSeconds: 1_767_323_045, tail: this.bytes.subarray(-32 * 1024) }
    const made = nextLine(given, who, now)
    this.bytes = Buffer.concat([this.bytes, Buffer.from(made.bytes).subarray(0, made.bytes.length - torn)])
    if (withHead) this.head = made.head(this.bytes.length)
  }
  cut(bytes: number): void {
    this.bytes = this.bytes.subarray(0, this.bytes.length - bytes)
  }
  edit(change: (lines: string[]) => void): void {
    const lines = this.bytes.toString().trimEnd().split('\n')
    change(lines)
    this.bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
  }
  broken(): number | undefined {
    return verifyAudit(this.bytes, this.head).broken?.line
  }
}

function fileOf(count: number): File {
  const file = new File()
  for (let n = 0; n < count; n++) file.append({ ...entry, detail: `line ${n}` })
  return file
}

test('an empty audit is whole, and so is one that was appended to', () => {
  assert.equal(verifyAudit(undefined, undefined), { lines: [] })
  const { lines, broken } = verifyAudit(fileOf(3).bytes, fileOf(3).head)
  assert.is(broken, undefined)
  assert.equal(
    lines.map(({ n, at, detail }) => [n, at, detail]),
    [1, 2, 3].map((n) => [n, '2026-01-02T03:04:05Z', `line ${n - 1}`]),
  )
})

test('whatever is told is carried as it is, line feeds included', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (details) => {
      const file = new File()
      for (const detail of details) file.append({ ...entry, detail })
      const { lines, broken } = verifyAudit(file.bytes, file.head)
      assert.is(broken, undefined)
      assert.equal(
        lines.map(({ detail }) => detail),
        details,
      )
    }),
  )
})

test('one byte changed anywhere is found, at that line or the one after', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (count, at, flip) => {
      const file = fileOf(count)
      const offset = at % file.bytes.length
      const line = file.bytes.subarray(0, offset).toString().split('\n').length
      file.bytes[offset] = (file.bytes[offset] ?? 0) ^ flip
      const broken = file.broken()
      assert.ok(broken !== undefined && broken >= line && broken <= line + 1, `${broken} for ${line}`)
    }),
  )
})

test('a line taken out, put twice or moved is found where it was', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 6 }), fc.nat(), fc.constantFrom('out', 'twice', 'moved'), (count, at, how) => {
      const file = fileOf(count)
      const index = at % (count - 1)
      file.edit((lines) => {
        const [line = ''] = lines.splice(index, 1)
        if (how === 'twice') lines.splice(index, 0, line, line)
        if (how === 'moved') lines.splice(index + 1, 0, line)
      })
      const broken = file.broken()
      assert.is(broken, how === 'twice' ? index + 2 : index + 1)
    }),
  )
})

test('an end that was cut off is found, and stays to be seen when others append', () => {
  const file = fileOf(4)
  file.edit((lines) => lines.splice(2))
  assert.is(file.broken(), 3)
  file.append()
  assert.is(file.broken(), 3)
  assert.is(verifyAudit(file.bytes, file.head).lines.at(-1)?.n, 5)
})

test('an edited last line is found', () => {
  const file = fileOf(2)
  file.edit((lines) => {
    lines[1] = lines[1]?.replace('anna', 'beth') ?? ''
  })
  assert.is(file.broken(), 2)
})

test('a file that is gone while its head is there is found, and not begun anew as if nothing had been', () => {
  const file = fileOf(3)
  file.bytes = Buffer.alloc(0)
  assert.is(file.broken(), 1)
  file.append()
  assert.is(file.broken(), 1)
})

test('whoever was stopped before the head was written has broken nothing', () => {
  const file = fileOf(2)
  file.append(entry, { withHead: false })
  assert.is(file.broken(), undefined)
  file.append()
  assert.is(file.broken(), undefined)
  const first = new File()
  first.append(entry, { withHead: false })
  first.append()
  assert.is(first.broken(), undefined)
})

test('a line that broke off is told, keeps to itself, and the next one is whole', () => {
  const file = fileOf(2)
  file.append(entry, { withHead: false, torn: 20 })
  file.append({ ...entry, detail: 'after' })
  const { lines, broken } = verifyAudit(file.bytes, file.head)
  assert.is(broken?.line, 3)
  assert.is(lines.at(-1)?.detail, 'after')
  assert.match(broken?.why ?? '', /only a part of one/)
})

test('a head that is none is told', () => {
  const file = fileOf(1)
  assert.is(verifyAudit(file.bytes, 'nonsense').broken?.line, 1)
})

test.run()
