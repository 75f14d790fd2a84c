/** The parts of the page that need no browser: searching, filtering, moving about, wording. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { graphPage } from '../../../../../src/ui/html/graph-page.ts'
import { everything, facetValues, isShown, toggled } from '../../../../../src/ui/html/page/filters.ts'
import { indexGraph, neighbourOf, taskAt } from '../../../../../src/ui/html/page/graph-index.ts'
import { search } from '../../../../../src/ui/html/page/search.ts'
import { around, centerOn, contains, fit, panBy, seen, toDrawing, zoomAt } from '../../../../../src/ui/html/page/viewport.ts'
import { boxText, countText, cut, durationText, partWords, shortId, timeText } from '../../../../../src/ui/html/page/words.ts'
import type { PageTask } from '../../../../../src/ui/html/page-data.ts'
import { release } from '../../../../graph/tasks.ts'

const test = suite('src/ui/html/page/looking')

const index = indexGraph(
  graphPage({
    title: 'shop',
    graph: release(),
    hasStates: true,
    lastRun: undefined,
    redact: (text) => text,
    aboutTask: ({ id, kind }) => ({
      title: id,
      hosts: id.includes('@') ? ['node-1'] : [],
      freshBy: '',
      state: { name: kind === 'build' ? 'fresh' : 'run', detail: '' },
      ranBefore: true,
      parts: [],
    }),
  }),
)
const { tasks } = index.data
const at = (id: string) => tasks.findIndex((task) => task.id === id)

for (const [query, expected] of [
  ['', []],
  ['API', ['push:api', 'build:api', 'rollout:api@node-1']],
  ['push', ['push:api', 'push:web']],
  ['node-1', ['render:node-1', 'upload:node-1', 'rollout:api@node-1', 'rollout:web@node-1']],
  ['bdw', ['build:web']],
  ['main', ['migrate_pre:main']],
  ['(', []],
] as const) {
  test(`searching for ${JSON.stringify(query)}`, () => {
    const ids = tasks.map(({ id }) => id)
    assert.equal(
      search(query, ids).map((found) => ids[found]),
      expected,
    )
  })
}

test('values of a facet are joined by or, facets by and; counts are what choosing would show', () => {
  const choice = toggled(toggled(everything, 'kind', 'build'), 'kind', 'push')
  assert.is(tasks.filter((task) => isShown(task, choice)).length, 4)
  assert.equal(facetValues(tasks, choice, 'state'), [
    { value: 'run', count: 2 },
    { value: 'fresh', count: 2 },
  ])
  assert.is(facetValues(tasks, choice, 'kind').find(({ value }) => value === 'rollout')?.count, 2)
  assert.equal(facetValues(tasks, toggled(choice, 'kind', 'push'), 'host'), [
    { value: 'node-1', count: 0 },
    { value: 'this machine', count: 2 },
  ])
  assert.is(tasks.filter((task) => isShown(task, toggled(choice, 'state', 'fresh'))).length, 2)
  assert.equal(toggled(toggled(everything, 'host', 'a'), 'host', 'a'), everything)
})

test('zooming keeps the point under the pointer, within limits', () => {
  const view = { x: 10, y: -20, scale: 0.5 }
  const zoomed = zoomAt(view, 1.7, 300, 200)
  assert.equal(rounded(toDrawing(zoomed, 300, 200)), rounded(toDrawing(view, 300, 200)))
  assert.is(zoomAt(view, 1000, 0, 0).scale, 3)
  assert.equal(panBy(view, 5, 5), { x: 15, y: -15, scale: 0.5 })
})

test('what is fitted is seen whole; what is centred is in the middle', () => {
  const area = { left: 100, top: 50, right: 5000, bottom: 900 }
  const screen = { width: 800, height: 600 }
  assert.ok(contains(seen(fit(area, screen), screen), area))
  assert.is(fit({ ...area, right: 120, bottom: 60 }, screen).scale, 1.1)
  assert.equal(toDrawing(centerOn({ x: 0, y: 0, scale: 0.1 }, 70, 80, screen), 400, 300), { x: 70, y: 80 })
  assert.is(around([]), undefined)
})

test('a point finds the task drawn there, if it is shown', () => {
  const box = index.boxes[at('push:api')] ?? { left: 0, top: 0, right: 0, bottom: 0 }
  assert.is(
    taskAt(index, box.left + 1, box.top + 1, () => true),
    at('push:api'),
  )
  assert.is(
    taskAt(index, box.left + 1, box.top + 1, () => false),
    undefined,
  )
})

test('arrows lead along edges and within a layer, past what is hidden', () => {
  const go = (from: string, direction: 'left' | 'right' | 'up' | 'down', hidden = '') => {
    const found = neighbourOf(index, at(from), direction, (task) => tasks[task]?.id !== hidden)
    return found === undefined ? undefined : tasks[found]?.id
  }
  assert.is(go('build:api', 'right'), 'push:api')
  assert.is(go('build:api', 'left'), undefined)
  assert.is(go('build:api', 'right', 'push:api'), undefined)
  const [upper, lower] = ['rollout:api@node-1', 'rollout:web@node-1'].sort(
    (a, b) => (tasks[at(a)]?.box[1] ?? 0) - (tasks[at(b)]?.box[1] ?? 0),
  )
  assert.is(go(upper ?? '', 'down'), lower)
  assert.is(go(lower ?? '', 'up'), upper)
})

test('words', () => {
  assert.equal([0, 999, 1234, 65_000, 7_500_000].map(durationText), ['0 ms', '999 ms', '1.2 s', '1 min 5 s', '2 h 5 min'])
  assert.is(countText(1234567), '1,234,567')
  assert.is(timeText('2026-11-23T10:52:07.113Z'), '2026-11-23 10:52 UTC')
  assert.equal([partWords('file', 1), partWords('file', 2)], ['1 file', '2 files'])
  assert.is(cut('rollout:web@node-1', 70, 7), 'rollo…de-1')
  const timing = { status: 'failed', startMs: 0, durationMs: 1, ranMs: 1500, because: null, finishedAt: null } as const
  const about = { ...(tasks[0] as PageTask), id: 'exec:lint', kind: 'exec', state: null } as const
  assert.equal([boxText(about), boxText({ ...about, timing }), shortId(about)], ['exec', 'failed · 1.5 s', 'lint'])
})

function rounded({ x, y }: { readonly x: number; readonly y: number }): readonly number[] {
  return [Math.round(x), Math.round(y)]
}

test.run()
