import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { longestLineBytes, OutputParser } from '../../../src/hosts/engine-logs.ts'
import { outputQuery } from '../../../src/hosts/engine-output.ts'
import type { OutputLine } from '../../../tasks/ports.ts'
import { rejects, within } from '../../support/assertions.ts'
import { onServer } from '../../support/ssh-server.ts'

const test = suite('src/hosts/engine-output')

const time = (second: number) => `2026-01-09T00:00:${String(second).padStart(2, '0')}.123456789Z`
const frame = (stream: 1 | 2, text: string): Buffer => {
  const content = Buffer.from(text)
  const head = Buffer.alloc(8)
  head.writeUInt8(stream, 0)
  head.writeUInt32BE(content.length, 4)
  return Buffer.concat([head, content])
}
const parse = (chunks: readonly Buffer[]): readonly OutputLine[] => {
  const parser = new OutputParser()
  return [...chunks.flatMap((chunk) => parser.push(chunk)), ...parser.end()]
}
const pieces = (bytes: Buffer, sizes: readonly number[]): Buffer[] => {
  const chunks: Buffer[] = []
  let offset = 0
  for (let index = 0; offset < bytes.length; index++) {
    const size = sizes[index % sizes.length] ?? 1
    chunks.push(bytes.subarray(offset, offset + size))
    offset += size
  }
  return chunks
}

test('frames are lines with times and streams', () => {
  const bytes = Buffer.concat([frame(1, `${time(1)} one\n`), frame(2, `${time(2)} two\r\n`), frame(1, `${time(3)} \n`)])
  assert.equal(parse([bytes]), [
    { at: time(1), stream: 'stdout', text: 'one' },
    { at: time(2), stream: 'stderr', text: 'two' },
    { at: time(3), stream: 'stdout', text: '' },
  ])
})

test('a long line that was recorded in parts is one line, and the other stream does not cut into it', () => {
  const [a, b] = ['a'.repeat(16_384), 'b'.repeat(10)]
  const bytes = [frame(1, `${time(1)} ${a}`), frame(2, `${time(2)} between\n`), frame(1, `${time(3)} ${b}\n`)]
  assert.equal(parse(bytes), [
    { at: time(2), stream: 'stderr', text: 'between' },
    { at: time(1), stream: 'stdout', text: `${a}${b}` },
  ])
})

test('a terminal has no frames; times within its long lines are not part of them', () => {
  const long = 'x'.repeat(16_384)
  const bytes = Buffer.from(`${time(1)} \u001b[31mred\u001b[0m\r\n${time(2)} ${long}${time(3)} rest\r\n${time(4)} last`)
  assert.equal(parse([bytes]), [
    { at: time(1), stream: 'stdout', text: '\u001b[31mred\u001b[0m' },
    { at: time(2), stream: 'stdout', text: `${long}rest` },
    { at: time(4), stream: 'stdout', text: 'last' },
  ])
})

test('what is left when the output ends is a line', () => {
  assert.equal(parse([frame(1, `${time(1)} no end`)]), [{ at: time(1), stream: 'stdout', text: 'no end' }])
  assert.equal(parse([]), [])
})

test('of a line without an end no more is kept than anybody reads', () => {
  for (const make of [(text: string) => frame(1, `${time(1)} ${text}`), (text: string) => Buffer.from(text)] as const) {
    const parts = Array.from({ length: 200 }, () => make('y'.repeat(16_384)))
    const [line, ...more] = parse(parts)
    assert.equal(more, [])
    assert.is(line?.text.length, longestLineBytes)
  }
})

test('bytes that are no text become something that is', () => {
  const [line] = parse([
    Buffer.concat([frame(1, `${time(1)} `).subarray(0, 4), lengthOf(33), Buffer.from(`${time(1)} `), Buffer.from([0xff, 0xfe])]),
  ])
  assert.is(line?.text, '\ufffd\ufffd')
})

function lengthOf(bytes: number): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes)
  return length
}

test('however it is cut into pieces, it is the same lines', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'é', '🚀', ' ', '\t', ':'), maxLength: 40 })
  const message = fc.record({ stream: fc.constantFrom<1 | 2>(1, 2), text, ended: fc.boolean() })
  fc.assert(
    fc.property(
      fc.array(message),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
      fc.boolean(),
      (messages, sizes, isTerminal) => {
        const bytes = Buffer.concat(
          messages.map(({ stream, text: content, ended }, index) =>
            isTerminal
              ? Buffer.from(`${time(index % 60)} ${content}\n`)
              : frame(stream, `${time(index % 60)} ${content}${ended ? '\n' : ''}`),
          ),
        )
        assert.equal(parse(pieces(bytes, sizes)), parse([bytes]))
      },
    ),
  )
})

test('all is asked for unless some is', () => {
  const always = { stdout: true, stderr: true, timestamps: true }
  assert.equal(outputQuery({ follow: true }), { ...always, tail: 'all', follow: true })
  assert.equal(outputQuery({ follow: false, tail: 0, since: '1.5' }), { ...always, tail: 0, since: '1.5', follow: false })
})

const list = (url: string | undefined) => url?.startsWith('/containers/json') === true

test(
  'output is followed until the signal fires',
  onServer(
    {
      engine: (request, response) => {
        if (list(request.url)) return void response.end('[]')
        response.write(frame(1, `${time(1)} hello\n`))
      },
    },
    async (server) => {
      const host = server.host()
      const stop = new AbortController()
      const lines: OutputLine[] = []
      const reading = (async () => {
        for await (const batch of await host.engine.output('c', { follow: true }, stop.signal)) {
          lines.push(...batch)
          stop.abort()
        }
      })()
      await within(5_000, reading)
      assert.equal(lines, [{ at: time(1), stream: 'stdout', text: 'hello' }])
      assert.match(server.counts.engineRequests.at(-1) ?? '', /^GET \/containers\/c\/logs\?.*follow=true/)
    },
  ),
)

test(
  'a connection that is lost while output is followed is a failure that names the host',
  onServer(
    {
      engine: (request, response) => {
        if (list(request.url)) return void response.end('[]')
        response.write(frame(1, `${time(1)} hello\n`))
      },
    },
    async (server) => {
      const host = server.host()
      const output = await host.engine.output('c', { follow: true }, new AbortController().signal)
      const reading = (async () => {
        for await (const _ of output) server.cut()
      })()
      await rejects(within(10_000, reading), /the output of c on node-1 .* broke off/)
    },
  ),
)

test.run()
