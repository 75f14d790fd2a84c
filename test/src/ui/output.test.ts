/** Lines of programs: made safe, given a name, held back, replayed. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Digest, TaskId } from '../../../graph/types.ts'
import type { RunEvent } from '../../../src/contracts.ts'
import { disarmed, foldedGroup } from '../../../src/ui/github.ts'
import { createPrefix, HeldLines, keptCharacters } from '../../../src/ui/output-text.ts'
import { createPaint } from '../../../src/ui/paint.ts'
import { withReplay } from '../../../src/ui/replay.ts'
import { silentWhenFresh } from '../../../src/ui/silent-when-fresh.ts'
import { styledLine } from '../../../src/ui/task-line.ts'
import { fitted } from '../../../src/ui/task-name.ts'
import type { View } from '../../../src/ui/view.ts'
import { separator, triggerText, waitingText } from '../../../src/ui/watch-text.ts'
import { within } from '../../support/assertions.ts'
import { graphOf, nothing, ScriptedRun } from '../../support/scripted-run.ts'

const test = suite('src/ui/output')
const esc = '\u001b'

for (const [given, shown] of [
  ['plain', 'plain'],
  [`${esc}[31mred${esc}[0m`, `${esc}[31mred${esc}[0m`],
  [`${esc}[31mred`, `${esc}[31mred${esc}[0m`],
  [`${esc}[2K${esc}[1Ga${esc}[1m${esc}[3Ab${esc}[m`, `a${esc}[1mb${esc}[m`],
  [`10%\r${esc}[32m100%${esc}[39m\r\n`, `${esc}[32m100%${esc}[39m${esc}[0m`],
  [`${esc}]0;title\u0007a${esc}[?25l`, 'a'],
] as const) {
  test(`with colour, ${JSON.stringify(given)} is shown as ${JSON.stringify(shown)}`, () => assert.is(styledLine(given, true), shown))
}

test('whatever a program prints, nothing but colours reaches the terminal, and without colour nothing at all', () => {
  const part = fc.oneof(fc.string(), fc.constantFrom(esc, '[', 'm', '[31m', '\r', '\n', '\u009b', `${esc}[2J`, `${esc}[31m`))
  const line = fc.array(part).map((parts) => parts.join(''))
  fc.assert(
    fc.property(line, (text) => {
      assert.not.match(styledLine(text, false), /\p{Cc}/u)
      assert.not.match(styledLine(text, true).replace(new RegExp(`${esc}\\[[0-9;:]*m`, 'g'), ''), /\p{Cc}/u)
    }),
    { numRuns: 2000 },
  )
})

test('names are aligned, and long ones lose their middle', () => {
  const prefix = createPrefix(['exec:a', 'exec:packages/api/integration-test'] as TaskId[], createPaint(false))
  assert.is(prefix('exec:a' as TaskId, 'x'), `${'a'.padEnd(24)} │ x`)
  assert.is(prefix('exec:packages/api/integration-test' as TaskId, ''), 'packages…ntegration-test │')
  assert.is(fitted('abcdefgh', 5), 'ab…gh')
})

test('each task has a colour of its own', () => {
  const prefix = createPrefix(['exec:a', 'exec:b'] as TaskId[], createPaint(true))
  assert.is.not(prefix('exec:a' as TaskId, '').replace('a', ''), prefix('exec:b' as TaskId, '').replace('b', ''))
})

test('of endless output the last part is kept, and what is left out is counted', () => {
  const held = new HeldLines()
  for (let line = 0; line < 3000; line++) held.add(`${line} ${'x'.repeat(1000)}`)
  const lines = held.take()
  assert.ok(lines.join('\n').length < 2 * keptCharacters + 2000)
  assert.match(lines[0] ?? '', /^… \d+ earlier lines are left out$/)
  assert.match(lines.at(-1) ?? '', /^2999 /)
  assert.equal(held.take(), [])
})

test('words of ours that quote somebody are no workflow commands either', () => {
  assert.is(disarmed('  │ ::x::\n ::add-mask::y\n##[group]z'), '  │ ::x::\n : :add-mask::y\n# #[group]z')
  assert.equal(foldedGroup('a%\nb', [], 'T'), ['::group::a%25%0Ab', '::endgroup::'])
})

function recording(): View & { readonly seen: string[] } {
  const seen: string[] = []
  const words = (event: RunEvent) => (event.type === 'output' ? `${event.line}${event.replayed ? ' again' : ''}` : event.type)
  return {
    seen,
    on: (event) => void seen.push(words(event)),
    drive: async (graph, run) => void (await Promise.all(graph.order.map((id) => run.outcome(id)))),
    finish: () => void seen.push('summary'),
  }
}

test('replay: what a skipped task printed when it ran comes before its end; a log that is gone is passed over', async () => {
  const inner = recording()
  const view = withReplay(inner, async (log) => (log === 'there' ? ['one', 'two'] : undefined))
  const run = new ScriptedRun((event) => view.on(event))
  const driven = view.drive(graphOf('exec:a', 'exec:b', 'exec:c'), run)
  run.end('exec:a', { status: 'skipped', result: { ...nothing, log: 'there' as Digest }, from: 'local' })
  run.end('exec:b', { status: 'skipped', result: { ...nothing, log: 'gone' as Digest }, from: 'local' })
  run.succeed('exec:c')
  await within(2000, driven)
  view.finish({ graph: graphOf(), outcomes: run.outcomes, durationMs: 1 })
  assert.equal([...inner.seen].sort(), ['finished', 'finished', 'finished', 'one again', 'summary', 'two again'])
  assert.ok(inner.seen.indexOf('one again') < inner.seen.indexOf('two again'))
})

test('a check after a run says nothing when nothing had to be done, and everything when something had', () => {
  for (const hasWork of [false, true]) {
    const inner = recording()
    let announced = 0
    const view = silentWhenFresh(inner, () => announced++)
    const run = new ScriptedRun((event) => view.on(event))
    run.skip('exec:a')
    if (hasWork) run.start('exec:b')
    view.finish({ graph: graphOf(), outcomes: run.outcomes, durationMs: 1 })
    assert.equal([announced, inner.seen], hasWork ? [1, ['finished', 'started', 'summary']] : [0, []])
  }
})

test('what a watch says between runs', () => {
  const paint = createPaint(false)
  assert.is(triggerText({ by: 'files', paths: ['src/a.ts'] }), 'src/a.ts changed')
  assert.is(triggerText({ by: 'files', paths: ['src/a.ts', 'b', 'c'] }), 'src/a.ts changed (+2)')
  assert.is(separator('x', '12:00:00', 30, paint), '── 12:00:00  x ───────────────')
  assert.is(waitingText(1, true, [], paint), 'waiting for changes in 1 folder: r runs again, q quits')
  assert.is(waitingText(2, false, ['db'], paint), 'db keeps running; waiting for changes in 2 folders')
  assert.is(waitingText(2, false, ['db', 'api', 'web'], paint), 'db, api and web keep running; waiting for changes in 2 folders')
})

test.run()
