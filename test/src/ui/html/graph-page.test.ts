import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { TaskId } from '../../../../graph/types.ts'
import { type GraphPageInput, graphPage } from '../../../../src/ui/html/graph-page.ts'
import type { PageData } from '../../../../src/ui/html/page-data.ts'
import { renderPage } from '../../../../src/ui/html/render-page.ts'
import { graphOf, release, task } from '../../../graph/tasks.ts'
import { layeredGraph, samplePage } from '../../../support/graph-pages.ts'

const test = suite('src/ui/html/graph-page')

const input: GraphPageInput = {
  title: 'shop',
  graph: release(),
  hasStates: true,
  lastRun: undefined,
  redact: (text) => text,
  aboutTask: () => ({ title: 't', hosts: [], freshBy: 'f', ranBefore: true, parts: [] }),
}
const assets = { script: 'start()', style: 'p{}' }

test('the same graph gives the same page', () => {
  assert.is(samplePage(layeredGraph(60, 10)), samplePage(layeredGraph(60, 10)))
})

test('without durations the critical path weighs tasks alike; with some, those without weigh nothing', () => {
  assert.equal(graphPage(input).critical, { tasks: [0, 2, 5, 6, 7, 9], durationMs: null, unweighed: 0 })
  const finishedAt = '2026-11-23T10:52:07.113Z'
  const timing = { status: 'ran', startMs: 0, durationMs: 70, ranMs: 70, finishedAt } as const
  const earlier = { ...timing, ranMs: 500, finishedAt: '2026-11-20T00:00:00.000Z' }
  const { critical, tasks } = graphPage({
    ...input,
    lastRun: {
      finishedAt,
      tasks: new Map([
        ['build:web' as TaskId, timing],
        ['push:web' as TaskId, earlier],
      ]),
    },
  })
  assert.equal([critical.durationMs, critical.unweighed], [570, 8])
  assert.equal(
    critical.tasks.slice(0, 2).map((index) => tasks[index]?.id),
    ['build:web', 'push:web'],
  )
  assert.equal([tasks[1]?.timing?.finishedAt, tasks[4]?.timing?.finishedAt], [null, earlier.finishedAt])
})

test('names are kept once, in groups by what they are; very many are counted', () => {
  const files = Array.from({ length: 300 }, (_, index) => ({ part: 'file', name: `src/${index}`, change: 'same' }) as const)
  const parts = [
    { part: 'kind', name: 'exec', change: 'same' },
    ...files,
    { part: 'file', name: 'new', change: 'added' },
    { part: 'env', name: 'A', change: 'same' },
  ] as const
  const page = graphPage({ ...input, aboutTask: () => ({ title: 't', hosts: [], freshBy: 'f', ranBefore: true, parts }) })
  const [first] = page.tasks
  assert.equal(
    first?.parts.map(({ part, changed, same, more }) => [part, changed.length, same.length, more]),
    [
      ['file', 1, 200, 100],
      ['env', 0, 1, 0],
    ],
  )
  assert.is(page.names.length, 202)
})

test('what is secret is struck out of every text of the data, and of nothing else', () => {
  const redact = (text: string) => text.replaceAll('script', '[hidden]')
  const about = { title: 'script', hosts: [], freshBy: 'f', state: { name: 'run', detail: 'script changed' }, ranBefore: true } as const
  const data = graphPage({ ...input, redact, aboutTask: () => ({ ...about, parts: [{ part: 'file', name: 'a.script', change: 'same' }] }) })
  assert.not.match(JSON.stringify(data), 'script')
  assert.match(renderPage(data, assets), '<script>start()</script>')
})

test('data cannot end its element, and only the page may run anything', () => {
  const data = graphPage({ ...input, title: '</title><script>alert(1)</script>', graph: graphOf(task('exec:</script><!--')) })
  const html = renderPage(data, assets)
  assert.equal(html.match(/<\/?script[^>]*>/g), ['<script type="application/json" id="graph">', '</script>', '<script>', '</script>'])
  const embedded = /id="graph">(.*)<\/script>/.exec(html)?.[1] ?? ''
  assert.equal(JSON.parse(embedded) as PageData, JSON.parse(JSON.stringify(data)) as PageData)
  assert.match(html, `default-src 'none'; script-src 'sha256-`)
  assert.not.match(html, /https?:|unsafe-/)
})

test('a script that would end its element is a mistake of the build', () => {
  assert.throws(() => renderPage(graphPage(input), { ...assets, script: 'a="</SCRIPT>"' }), /would end its own script/)
})

test.run()
