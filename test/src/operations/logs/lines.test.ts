import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type LogLine, lineText, shortContainer, visible } from '../../../../src/operations/logs/line-text.ts'
import { mergeByTime } from '../../../../src/operations/logs/merge-by-time.ts'
import { outputWindow, sinceOf } from '../../../../src/operations/logs/output-window.ts'
import { advanced, onwards, type Position, unread } from '../../../../src/operations/logs/position.ts'
import { ReorderWindow } from '../../../../src/operations/logs/reorder.ts'
import { createPaint } from '../../../../src/ui/paint.ts'

const test = suite('src/operations/logs/lines')
const now = new Date('2026-01-09T00:10:00.000Z')

// --- which lines ------------------------------------------------------------------------------------------------------

const windows: readonly [Parameters<typeof outputWindow>[0], object][] = [
  [{}, { tail: 100 }],
  [{ tail: '5' }, { tail: 5 }],
  [{ tail: '0' }, { tail: 0 }],
  [{ tail: 'all' }, {}],
  [{ since: '10m' }, { since: '1767916800.000' }],
  [{ since: '2026-01-09T00:00:00Z' }, { since: '1767916800.000' }],
  [
    { since: '1h', tail: '7' },
    { tail: 7, since: '1767913800.000' },
  ],
  [{ grep: 'x' }, { tail: 10_000 }],
]
for (const [words, request] of windows) {
  test(`${JSON.stringify(words)} asks for ${JSON.stringify(request)}`, () => {
    const window = outputWindow(words, now)
    assert.equal(window.ok && window.value.request, request)
  })
}

for (const words of [
  { tail: 'many' },
  { tail: '-1' },
  { since: 'yesterday' },
  { since: '1' },
  { since: '01/02/2026' },
  { grep: '/(/' },
  { grep: '/a/q' },
]) {
  test(`${JSON.stringify(words)} is refused`, () => {
    const window = outputWindow(words, now)
    assert.equal(!window.ok && window.diagnostics.map(({ code }) => code), ['SC3004'])
  })
}

const searches: readonly [string, string, boolean][] = [
  ['error', 'an ERROR here', true],
  ['a.c', 'abc', false],
  ['/a.c/', 'abc', true],
  ['/ERROR/', 'error', false],
  ['/ERROR/gi', 'error', true],
  ['/', 'a/b', true],
]
for (const [grep, text, expected] of searches) {
  test(`--grep ${grep} ${expected ? 'finds' : 'does not find'} ${text}, time after time`, () => {
    const window = outputWindow({ grep }, now)
    for (let time = 0; time < 2; time++) assert.is(window.ok && window.value.matches(text), expected)
  })
}

test('the moment of a line keeps its nanoseconds', () => {
  assert.is(sinceOf('2026-01-09T00:00:00.123456789Z'), '1767916800.123456789')
  assert.is(sinceOf('2026-01-09T00:00:00Z'), '1767916800.000000000')
})

// --- in which order ----------------------------------------------------------------------------------------------------

interface Item {
  readonly at: string
  readonly from: number
  readonly place: number
}

const sortedStreams = fc
  .array(fc.array(fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 5 }), { maxLength: 4 }), { maxLength: 5 })
  .map((streams) =>
    streams.map((batches, from) => {
      const times = batches.flat().sort((a, b) => a - b)
      let place = 0
      return batches.map((batch) => batch.map((): Item => ({ at: String(times[place]).padStart(2, '0'), from, place: place++ })))
    }),
  )

async function* batchesOf(batches: readonly (readonly Item[])[]): AsyncGenerator<readonly Item[]> {
  yield* batches
}

test('merged streams are all their lines, in order of time, each stream in its own order', () =>
  fc.assert(
    fc.asyncProperty(sortedStreams, async (streams) => {
      const merged: Item[] = []
      for await (const run of mergeByTime(streams.map(batchesOf))) merged.push(...run)
      const expected = streams.flat(2).sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.from - b.from || a.place - b.place))
      assert.equal(merged, expected)
    }),
  ))

test('nothing is read ahead of who takes it', async () => {
  let read = 0
  async function* endless(): AsyncGenerator<readonly Item[]> {
    for (;;) yield [{ at: String(read++).padStart(9, '0'), from: 0, place: 0 }]
  }
  const merged = mergeByTime([endless(), endless()])
  for (let taken = 0; taken < 10; taken++) await merged.next()
  assert.ok(read < 20, `${read} were read`)
})

test('lines that come late, but not later than the window, are put in their place; nothing is lost', () =>
  fc.assert(
    fc.property(fc.array(fc.record({ at: fc.integer({ min: 0, max: 1_000 }), lateMs: fc.integer({ min: 0, max: 99 }) })), (given) => {
      const window = new ReorderWindow<{ at: string }>(100)
      const arriving = given
        .map(({ at, lateMs }) => ({ at: String(at).padStart(4, '0'), arrivesMs: at + lateMs }))
        .sort((a, b) => a.arrivesMs - b.arrivesMs)
      const out: { at: string }[] = []
      for (const line of arriving) {
        out.push(...window.take(line.arrivesMs))
        window.add([line], line.arrivesMs)
      }
      out.push(...window.flush())
      assert.is(out.length, given.length)
      assert.is(window.size, 0)
      assert.equal(
        out.map(({ at }) => at),
        arriving.map(({ at }) => at).sort(),
      )
    }),
  ))

test('a line waits for the length of the window, and then for no other', () => {
  const window = new ReorderWindow<{ at: string }>(250)
  assert.is(window.nextMs, undefined)
  window.add([{ at: '2' }], 1_000)
  window.add([{ at: '3' }, { at: '1' }], 1_100)
  assert.is(window.nextMs, 1_250)
  assert.equal(window.take(1_249), [])
  assert.equal(window.take(1_250), [{ at: '1' }, { at: '2' }])
  assert.equal(window.take(1_350), [{ at: '3' }])
})

// --- where reading goes on ------------------------------------------------------------------------------------------------

test('reading goes on exactly where it ended, also among lines of one moment', () =>
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5 })), fc.nat(), (seconds, cut) => {
      const lines = [...seconds].sort().map((second, place) => ({ at: `2026-01-09T00:00:0${second}.000000000Z`, place }))
      const read = lines.slice(0, cut % (lines.length + 1))
      const position = read.reduce<Position | undefined>((before, line) => advanced(before, line), undefined)
      const { since } = onwards(position, {})
      const answer = lines.filter(({ at }) => since === undefined || Number(sinceOf(at)) >= Number(since))
      assert.equal([...read, ...answer.filter(unread(position))], lines)
    }),
  ))

test('what was never read is asked for as it was wanted', () => {
  assert.equal(onwards(undefined, { tail: 5 }), { tail: 5, follow: true })
  assert.equal(onwards({ at: '2026-01-09T00:00:00.5Z', lines: 1 }, { tail: 5 }), { since: '1767916800.500000000', follow: true })
})

// --- how they look -----------------------------------------------------------------------------------------------------

const line: LogLine = {
  at: '2026-01-09T00:00:00.123456789Z',
  stream: 'stdout',
  text: '\u001b[31mred\u001b[0m',
  host: 'node-1',
  service: 'api',
  container: 'api-1',
}
const plain = { format: 'text', prefix: true, timestamps: false, paint: createPaint(false), keepStyles: false } as const

test('a line says whose it is, and when it was written if that was asked for', () => {
  assert.is(lineText(line, plain), 'node-1/api-1 │ red\n')
  assert.is(lineText(line, plain, ['node-10/api-1']), 'node-1/api-1  │ red\n')
  assert.is(lineText(line, { ...plain, prefix: false, timestamps: true }), '2026-01-09T00:00:00.123Z red\n')
})

test('the same container has the same color, whoever else is heard', () => {
  const style = { ...plain, paint: createPaint(true) }
  const colorOf = (text: string) => /\[(\d+)m/.exec(text)?.[1]
  assert.is(colorOf(lineText(line, style)), colorOf(lineText({ ...line, text: 'other' }, style, ['a/b', 'c/d'])))
  const colors = new Set(['api-1', 'api-2', 'db-1', 'web-1', 'web-2'].map((container) => colorOf(lineText({ ...line, container }, style))))
  assert.ok(colors.size > 1)
})

test('as JSON, a line is one object of known keys', () => {
  assert.equal(JSON.parse(lineText(line, { ...plain, format: 'json' })), {
    ...{ at: line.at, host: 'node-1', service: 'api', container: 'api-1', stream: 'stdout', line: 'red' },
  })
})

const shown: readonly [string, string, string][] = [
  ['plain\ttext', 'plain\ttext', 'plain\ttext'],
  ['10%\r20%\r', '20%', '20%'],
  ['\u001b[1mbold\u001b[0m', 'bold', '\u001b[1mbold\u001b[0m\u001b[0m'],
  ['\u001b[2J\u001b[Hgone', 'gone', 'gone'],
  ['\u001b]0;title\u0007bell\u0007', 'bell', 'bell'],
  ['nul\u0000 c1\u009b31m', 'nul c1', 'nul c1'],
]
for (const [text, stripped, styled] of shown) {
  test(`${JSON.stringify(text)} is shown without what moves a terminal`, () => {
    assert.is(visible(text, false), stripped)
    assert.is(visible(text, true), styled)
  })
}

test('nothing of a line can end it or move the cursor', () =>
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.not.match(visible(text, false), /(?!\t)\p{Cc}/u)
      assert.not.match(
        visible(text, true)
          .replaceAll('\u001b', '')
          .replace(/\[[0-9;:]*m/g, ''),
        /(?!\t)\p{Cc}/u,
      )
    }),
  ))

test('a line of megabytes is cut, and says so', () => {
  const text = visible('z'.repeat(1_200_000), false)
  assert.match(text.slice(-40), /z… \(a line longer than 1 MiB\)$/)
})

test('a container is called by what the project is not called', () => {
  assert.is(shortContainer('shop-prod-api-2', 'shop-prod'), 'api-2')
  assert.is(shortContainer('fixed', 'shop-prod'), 'fixed')
})

test.run()
