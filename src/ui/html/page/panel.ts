/** The side panel: all that is known of the selected task, or of the whole graph when none is. */
import type { PageParts, PageTask } from '../page-data.ts'
import { element } from './dom.ts'
import type { GraphIndex, Neighbour } from './graph-index.ts'
import { countText, durationText, outcomeWords, partWords, stateSigns, stateWords, tasksText, timeText } from './words.ts'

export function taskPanel(index: GraphIndex, task: number): Node[] {
  const about = index.data.tasks[task]
  if (!about) return []
  const { dependencies, dependents } = index
  return [
    element('h2', {}, about.id),
    ...when(about.title !== about.id, () => element('p', { class: 'quiet' }, about.title)),
    ...verdict(about),
    ...when(index.criticalTasks.has(task), () => element('p', { class: 'on-path' }, 'On the critical path')),
    facts(about, index),
    ...madeFrom(about, index),
    ...neighbours('Needs', 'their results are part of what it is made from', only(dependencies[task], false), index),
    ...neighbours('Comes after', 'order only', only(dependencies[task], true), index),
    ...neighbours('Needed by', 'its result is part of what they are made from', only(dependents[task], false), index),
    ...neighbours('Comes before', 'order only', only(dependents[task], true), index),
  ]
}

export function overviewPanel(index: GraphIndex): Node[] {
  const { data } = index
  const { tasks, durationMs, unweighed } = data.critical
  const roots = index.dependents.filter((list) => list.length === 0).length
  const path =
    durationMs === null
      ? `${tasksText(tasks.length)}; no durations are known yet`
      : `${durationText(durationMs)} in ${tasksText(tasks.length)}`
  const missing = unweighed > 0 ? `; ${tasksText(unweighed)} without a known duration count as nothing` : ''
  return [
    element('h2', {}, data.title),
    element(
      'p',
      { class: 'quiet' },
      `${tasksText(data.tasks.length)}, ${countText(data.edges.length)} dependencies, ${roots === 1 ? '1 end' : `${roots} ends`}`,
    ),
    element(
      'p',
      { class: 'quiet' },
      data.lastRunAt === null ? 'No run has left timings yet.' : `Timings of the run that ended ${timeText(data.lastRunAt)}.`,
    ),
    element('h3', {}, 'Critical path'),
    element('p', { class: 'quiet' }, `${path}${missing}. No run of all tasks can be shorter than this chain.`),
    element('ol', { class: 'links' }, ...tasks.map((task) => element('li', {}, link(index, task), time(data.tasks[task]?.timing?.ranMs)))),
    element('h3', {}, 'Signs'),
    legend(data.hasStates),
    element('h3', {}, 'Keys'),
    keys(),
  ]
}

function when(condition: boolean, make: () => Node): Node[] {
  return condition ? [make()] : []
}

function verdict({ state, reason }: PageTask): Node[] {
  if (state === null) return []
  return [
    element('p', { class: `verdict state-${state}` }, element('span', { class: 'sign' }, stateSigns[state]), ` ${stateWords[state]}`),
    element('p', {}, reason),
  ]
}

function facts(about: PageTask, { data }: GraphIndex): Node {
  const { timing } = about
  const rows: (readonly [string, string | Node])[] = [['Kind', about.kind]]
  if (about.hosts.length > 0) rows.push([about.hosts.length === 1 ? 'Host' : 'Hosts', about.hosts.join(', ')])
  if (about.origin !== null) rows.push(['Defined in', about.origin])
  rows.push(['Skipped on', about.freshBy])
  if (about.fingerprint !== null) rows.push(['Fingerprint', element('code', { class: 'fingerprint' }, about.fingerprint)])
  if (timing) {
    rows.push(['Last run', `${outcomeWords[timing.status]}, ${timeText(timing.finishedAt ?? data.lastRunAt ?? '')}`])
    rows.push(['Took', `${durationText(timing.durationMs)}, from ${durationText(timing.startMs)} into the run`])
    if (timing.ranMs !== null && timing.ranMs !== timing.durationMs) rows.push(['Takes', `${durationText(timing.ranMs)} when it runs`])
    if (timing.because !== null) rows.push(['Ran because', timing.because])
  }
  return element('dl', {}, ...rows.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]))
}

function madeFrom(about: PageTask, { data }: GraphIndex): Node[] {
  if (about.parts.length === 0) return []
  const changed = about.parts.flatMap((group) => group.changed.map(([name, change]) => ({ part: group.part, name, change })))
  const isNew = !about.ranBefore
  const heading = about.fingerprint === null && about.ranBefore ? 'Made from, when it last finished' : 'Made from'
  return [
    element('h3', {}, heading),
    ...when(isNew, () => element('p', { class: 'quiet' }, 'It has not finished in this checkout, so there is nothing to compare with.')),
    element(
      'ul',
      { class: 'parts' },
      ...changed.map(({ part, name, change }) =>
        element(
          'li',
          {},
          element('span', { class: `change ${change}` }, change),
          ` ${part === 'kind' ? 'how this kind works' : (data.names[name] ?? '')}`,
          element('span', { class: 'quiet' }, ` ${part === 'kind' ? '' : partWords(part, 1).slice(2)}`),
        ),
      ),
    ),
    ...about.parts.filter(({ same, more }) => same.length + more > 0).map((group) => unchanged(group, data.names, isNew)),
  ]
}

function unchanged({ part, same, more }: PageParts, names: readonly string[], isNew: boolean): Node {
  return element(
    'details',
    {},
    element('summary', {}, `${partWords(part, same.length + more)}${isNew ? '' : ' unchanged'}`),
    element(
      'ul',
      { class: 'parts' },
      ...same.map((name) => element('li', {}, names[name] ?? '')),
      more > 0 ? element('li', { class: 'quiet' }, `and ${more} more`) : undefined,
    ),
  )
}

function only(neighbours: readonly Neighbour[] = [], orderOnly: boolean): readonly Neighbour[] {
  return neighbours.filter((neighbour) => neighbour.orderOnly === orderOnly)
}

function neighbours(title: string, meaning: string, found: readonly Neighbour[], index: GraphIndex): Node[] {
  if (found.length === 0) return []
  return [
    element('h3', { title: meaning }, title, element('span', { class: 'quiet' }, ` ${found.length}`)),
    element('ul', { class: 'links' }, ...found.map(({ task }) => element('li', {}, link(index, task)))),
  ]
}

/** The address of a task, which the page goes to: the browser's way back works, and a task can be linked to. */
export function addressOf(id: string): string {
  return `#${encodeURIComponent(id)}`
}

function link({ data }: GraphIndex, task: number): HTMLElement {
  const { id, state } = data.tasks[task] ?? { id: '', state: null }
  const sign = element('span', { class: `sign state-${state ?? 'none'}`, 'aria-hidden': 'true' }, stateSigns[state ?? 'none'])
  return element('a', { href: addressOf(id) }, sign, ` ${id}`)
}

function time(durationMs: number | null | undefined): Node | undefined {
  return durationMs == null ? undefined : element('span', { class: 'time' }, durationText(durationMs))
}

function legend(hasStates: boolean): Node {
  const states = hasStates ? (['run', 'may-run', 'unknown', 'fresh'] as const) : []
  const meanings = {
    run: 'would run now',
    'may-run': 'waits for a result that is not known yet',
    unknown: 'was not asked, or did not answer',
    fresh: 'up to date',
  } as const
  return element(
    'ul',
    { class: 'legend' },
    ...states.map((state) =>
      element('li', {}, element('span', { class: `sign state-${state}` }, stateSigns[state]), ` ${meanings[state]}`),
    ),
    element('li', {}, element('span', { class: 'stroke' }), ' needs: the result counts'),
    element('li', {}, element('span', { class: 'stroke order' }), ' order only: comes first'),
    element('li', {}, element('span', { class: 'stroke critical' }), ' critical path'),
  )
}

function keys(): Node {
  const all = [
    ['/', 'search'],
    ['← → ↑ ↓', 'go from task to task; with Shift, move'],
    ['+ −', 'zoom; the wheel does too'],
    ['0', 'fit all'],
    ['c', 'critical path'],
    ['Esc', 'let go'],
  ] as const
  return element(
    'dl',
    { class: 'keys' },
    ...all.flatMap(([key, what]) => [element('dt', {}, element('kbd', {}, key)), element('dd', {}, what)]),
  )
}
