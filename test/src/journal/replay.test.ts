/** What a journal comes to, also one that was cut off after any of its bytes. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type JournalLine, renderLine } from '../../../src/journal/line.ts'
import { type JournalState, latestRun, replay } from '../../../src/journal/replay.ts'
import { damageText, endedText } from '../../../src/journal/text.ts'

const test = suite('src/journal/replay')

const picture = (hash: string) => ({
  bundle: `bundle-${hash}`,
  containers: [{ id: `id-${hash}`, name: 'web-1', service: 'web', hash }],
  down: [],
})
const begun = (run: string, hash: string, base = 'rel-1'): JournalLine => ({
  ...{ event: 'begun', run, n: 1, at: `2026-11-23T17:20:1${run.length}.000Z`, who: 'anna@laptop', what: 'deploy', base },
  before: picture(hash),
})
const task = (run: string, n: number, name: string, did: 'begin' | 'done' = 'begin'): JournalLine => ({
  ...{ event: 'task', run, n, task: name, did },
})
const ended = (run: string, settled: boolean): JournalLine => ({ event: 'ended', run, n: 99, how: 'done', settled })

const bytesOf = (...lines: readonly JournalLine[]) => Buffer.from(lines.map(renderLine).join(''))
function stateOf(bytes: Uint8Array | undefined): JournalState {
  const replayed = replay(bytes)
  assert.ok(replayed.ok, JSON.stringify(replayed))
  return replayed.ok ? replayed.state : {}
}

test('no journal, an empty one and blank lines say nothing', () => {
  for (const text of [undefined, '', '\n\n']) assert.equal(stateOf(text === undefined ? text : Buffer.from(text)), {})
})

test('a run that did not say how it ended is open, with the last thing it told', () => {
  const { open, before } = stateOf(bytesOf(begun('a', 'one'), task('a', 2, 'upload:h1', 'done'), task('a', 3, 'rollout:web@h1')))
  assert.equal(open?.last, { task: 'rollout:web@h1', did: 'begin', n: 3 })
  assert.equal(before, { base: 'rel-1', picture: picture('one') })
  assert.is(open && endedText(open), 'the deploy of anna@laptop at 2026-11-23 17:20:11 UTC ended at rollout:web@h1')
})

test('of several runs that left something, what the first found is what there was before', () => {
  const { open, before } = stateOf(bytesOf(begun('a', 'one'), ended('a', false), begun('bb', 'two'), begun('ccc', 'three')))
  assert.is(open?.run, 'ccc')
  assert.equal(before?.picture, picture('one'))
})

test('a run that left all whole settles it, and a commit leaves nothing to go back to', () => {
  assert.equal(stateOf(bytesOf(begun('a', 'one'), ended('a', true))), {})
  const { open, before } = stateOf(bytesOf(begun('a', 'one'), { event: 'commit', run: 'a', n: 2 }))
  assert.is(open?.run, 'a')
  assert.is(before, undefined)
})

test('after a release that left no journal, what was before it counts no more', () => {
  assert.equal(stateOf(bytesOf(begun('a', 'one'), begun('bb', 'two', 'rel-2'))).before, { base: 'rel-2', picture: picture('two') })
})

test('a run that wakes up after another began has nothing to say', () => {
  const { open, before } = stateOf(bytesOf(begun('a', 'one'), begun('bb', 'two'), task('a', 2, 'rollout:web@h1'), ended('a', true)))
  assert.is(open?.run, 'bb')
  assert.is(open?.last, undefined)
  assert.equal(before?.picture, picture('one'))
})

test('the release a run is recorded as, and what it told last on any of its hosts', () => {
  const first = stateOf(bytesOf(begun('a', 'one'), { event: 'release', run: 'a', n: 2, release: 'rel-2' }, task('a', 3, 'rollout:web@h1')))
  const second = stateOf(bytesOf(begun('a', 'one'), task('a', 7, 'rollout:web@h2')))
  const older = stateOf(bytesOf({ ...begun('z', 'one'), at: '2020-01-01T00:00:00.000Z' } as JournalLine))
  const latest = latestRun([older, first, {}, second])
  assert.is(latest?.release, 'rel-2')
  assert.is(latest?.last?.task, 'rollout:web@h2')
  assert.is(latestRun([{}]), undefined)
})

test('a line that broke off is passed over, wherever it is', () => {
  const torn = renderLine(task('a', 2, 'rollout:web@h1')).slice(0, 30)
  const text = `${renderLine(begun('a', 'one'))}${torn}\n${renderLine(begun('bb', 'two'))}{"v`
  assert.is(stateOf(Buffer.from(text)).open?.run, 'bb')
})

test('anything else is damage, told with its line and why', () => {
  const cases: readonly (readonly [text: string, why: RegExp])[] = [
    ['hello', /no line of a journal/],
    ['[1]', /no line of a journal/],
    ['{"n":1}', /no line of a journal/],
    ['{"v":2,"run":"a","n":1,"event":"begun"}', /version 2, and this Stagecraft reads version 1/],
    ['{"v":1,"run":"a","n":1,"event":"dance"}', /lacks/],
    ['{"v":1,"run":1,"n":1,"event":"commit"}', /lacks/],
    ['{"v":1,"run":"a","n":1,"event":"task","task":"x","did":"sang"}', /lacks/],
    ['{"v":1,"run":"a","n":1,"event":"release"}', /lacks/],
    ['{"v":1,"run":"a","n":1,"event":"ended","how":"done"}', /lacks/],
    [renderLine(begun('a', 'one')).trim().replace('"containers":[', '"containers":[7,'), /lacks/],
    [renderLine(begun('a', 'one')).trim().replace('"down":[]', '"down":[7]'), /lacks/],
    [renderLine(begun('a', 'one')).trim().replace('"bundle-one"', '7'), /lacks/],
    [
      renderLine(begun('a', 'one'))
        .trim()
        .replace(/"before":.*\}/, '"before":[]}'),
      /lacks/,
    ],
  ]
  for (const [text, why] of cases) {
    const replayed = replay(Buffer.from(`${renderLine(begun('a', 'one'))}${text}\n`))
    assert.not.ok(replayed.ok, text)
    if (replayed.ok) continue
    assert.is(replayed.damage.line, 2)
    assert.match(damageText('h1', '/opt/x', replayed.damage), why)
  }
})

test('where a run ended, in words', () => {
  const words = (did: 'begin' | 'done' | 'failed' | 'undo' | 'undone' | 'not-undone' | undefined) =>
    endedText({
      ...{ run: 'a', at: '2026-11-23T17:20:11.123Z', who: 'anna\n@laptop', what: 'deploy' },
      ...(did ? { last: { task: 'upload:h1', did, n: 1 } } : {}),
    }).replace(/^.* UTC ended /, '')
  assert.equal((['begin', 'done', 'failed', 'undo', 'undone', 'not-undone', undefined] as const).map(words), [
    'at upload:h1',
    'after upload:h1',
    'after upload:h1 had failed',
    'while it took back upload:h1',
    'after it had taken back upload:h1',
    'after it had not taken back upload:h1',
    'before it changed anything',
  ])
})

// --- any beginning of any journal ------------------------------------------------------------------------------------

interface Told {
  readonly line: JournalLine
  /** What a reader should hold for true once it is there. */
  readonly open: string | undefined
  readonly hash: string | undefined
}

/** Runs one after the other, each of which may be cut off after any of its lines. */
const runs = fc
  .array(fc.record({ tasks: fc.nat({ max: 3 }), end: fc.constantFrom('killed', 'failed', 'committed', 'settled') }), { maxLength: 6 })
  .map((plans): readonly Told[] => {
    const told: Told[] = []
    let hash: string | undefined
    for (const [index, { tasks, end }] of plans.entries()) {
      const run = `run-${index}`
      hash ??= `hash-${index}`
      told.push({ line: begun(run, `hash-${index}`), open: run, hash })
      for (let n = 0; n < tasks; n++) told.push({ line: task(run, n + 2, `rollout:web@h${n}`), open: run, hash })
      if (end === 'committed') {
        hash = undefined
        told.push({ line: { event: 'commit', run, n: 50 }, open: run, hash })
      }
      if (end === 'settled') hash = undefined
      if (end === 'failed' || end === 'settled') told.push({ line: ended(run, end === 'settled'), open: undefined, hash })
    }
    return told
  })

test('after any byte, a journal says what its whole lines say', () => {
  fc.assert(
    fc.property(runs, fc.double({ min: 0, max: 1, noNaN: true }), (told, share) => {
      const texts = told.map(({ line }) => renderLine(line))
      const length = Math.floor(share * texts.join('').length)
      // A line is whole before its line feed is there.
      let count = 0
      for (let size = 0; count < texts.length && size + (texts[count]?.length ?? 0) - 1 <= length; count++)
        size += texts[count]?.length ?? 0
      const state = stateOf(Buffer.from(texts.join('').slice(0, length)))
      const last = told[count - 1]
      assert.is(state.open?.run, last?.open)
      assert.is(state.before?.picture.containers[0]?.hash, last?.hash)
    }),
    { numRuns: 300 },
  )
})

test('a run that goes on after a torn line is understood as if that line had not been begun', () => {
  fc.assert(
    fc.property(runs, fc.nat({ max: 200 }), (told, cut) => {
      const text = told.map(({ line }) => renderLine(line)).join('')
      const torn = renderLine(task('x', 9, 'rollout:web@h1')).slice(0, 1 + (cut % 40))
      const next = renderLine(begun('after', 'after'))
      assert.equal(stateOf(Buffer.from(`${text}${torn}\n${next}`)), stateOf(Buffer.from(`${text}${next}`)))
    }),
    { numRuns: 100 },
  )
})

test('whatever the bytes are, reading them never throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, isAfter) => {
      const whole = isAfter ? Buffer.concat([bytesOf(begun('a', 'one')), bytes]) : bytes
      assert.type(replay(whole).ok, 'boolean')
    }),
  )
})

test.run()
