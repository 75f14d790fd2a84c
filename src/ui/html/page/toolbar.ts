/** Everything above the graph: search, buttons, filters. */
import { button, element, setAttributes } from './dom.ts'
import { type Choice, type Facet, facets, facetValues, toggled } from './filters.ts'
import type { GraphIndex } from './graph-index.ts'
import type { PageStore, PageView } from './page-state.ts'
import { search } from './search.ts'
import { durationText, stateSigns, stateWords, tasksText } from './words.ts'

export interface ToolbarActions {
  go(task: number): void
  fit(): void
  zoom(factor: number): void
  togglePath(): void
}

export interface Toolbar {
  readonly bar: HTMLElement
  readonly filters: HTMLElement
  readonly searchBox: HTMLInputElement
  show(view: PageView): void
}

/** Tasks offered while typing. */
const mostOffered = 40

export function createToolbar(index: GraphIndex, store: PageStore, actions: ToolbarActions): Toolbar {
  const { data } = index
  const finder = createSearch(index, store, actions)
  const { durationMs, tasks } = data.critical
  const length = durationMs === null ? tasksText(tasks.length) : durationText(durationMs)
  const path = button(
    'Critical path',
    { class: 'toggle', title: `the longest chain of tasks: ${length} (c)`, 'aria-pressed': 'false' },
    actions.togglePath,
  )
  path.append(element('span', { class: 'count' }, length))
  const order = button('Order only', { class: 'toggle', title: 'draw dependencies that only come first', 'aria-pressed': 'true' }, () =>
    store.change({ hasOrderOnly: !store.current.hasOrderOnly }),
  )
  const percent = element('output', { class: 'percent', 'aria-label': 'zoom' })
  const bar = element(
    'header',
    {},
    element('h1', {}, data.title),
    finder.box,
    element('div', { class: 'group' }, path, ...(data.edges.some(([, , orderOnly]) => orderOnly === 1) ? [order] : [])),
    element(
      'div',
      { class: 'group zoom', role: 'group', 'aria-label': 'zoom' },
      button('−', { 'aria-label': 'zoom out', title: 'zoom out (−)' }, () => actions.zoom(1 / 1.4)),
      percent,
      button('+', { 'aria-label': 'zoom in', title: 'zoom in (+)' }, () => actions.zoom(1.4)),
      button('Fit', { title: 'show all (0)' }, actions.fit),
    ),
  )
  const filters = element('div', { class: 'filters', role: 'group', 'aria-label': 'filters' })
  let shownChoice: Choice | undefined
  return {
    bar,
    filters,
    searchBox: finder.input,
    show(view) {
      percent.textContent = `${view.view.scale < 0.1 ? (view.view.scale * 100).toFixed(1) : Math.round(view.view.scale * 100)}%`
      setAttributes(path, { 'aria-pressed': String(view.isCritical) })
      setAttributes(order, { 'aria-pressed': String(view.hasOrderOnly) })
      finder.show(view)
      if (view.choice === shownChoice) return
      shownChoice = view.choice
      showFilters(filters, index, store)
    },
  }
}

const facetWords: Readonly<Record<Facet, string>> = { state: 'State', kind: 'Kind', host: 'Host' }

function showFilters(filters: HTMLElement, { data }: GraphIndex, store: PageStore): void {
  const { choice } = store.current
  // Chips are made anew, so the focus must find its way back to the one that was pressed.
  const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset['chip'] : undefined
  const groups = facets.map((facet) => {
    const values = facetValues(data.tasks, choice, facet)
    if (values.length < 2) return undefined
    const chips = values.map(({ value, count }) => {
      const isPressed = choice[facet].has(value)
      const chip = button('', { class: `chip ${facet}-chip`, 'aria-pressed': String(isPressed), 'data-chip': `${facet} ${value}` }, () =>
        store.change({ choice: toggled(store.current.choice, facet, value) }),
      )
      chip.append(...chipLabel(facet, value), element('span', { class: 'count' }, String(count)))
      return chip
    })
    return element(
      'div',
      { class: 'facet', role: 'group', 'aria-label': facetWords[facet] },
      element('span', { class: 'quiet' }, facetWords[facet]),
      ...chips,
    )
  })
  filters.replaceChildren(...groups.filter((group) => group !== undefined))
  filters.hidden = filters.childElementCount === 0
  if (focused === undefined) return
  for (const chip of filters.querySelectorAll<HTMLElement>('[data-chip]')) if (chip.dataset['chip'] === focused) chip.focus()
}

function chipLabel(facet: Facet, value: string): (Node | string)[] {
  if (facet !== 'state') return [value]
  const state = value as keyof typeof stateWords
  return [element('span', { class: `sign state-${state}`, 'aria-hidden': 'true' }, stateSigns[state]), ` ${stateWords[state]}`]
}

function createSearch(index: GraphIndex, store: PageStore, actions: ToolbarActions) {
  const ids = index.data.tasks.map(({ id }) => id)
  const list = element('ul', { class: 'offers', id: 'offers', role: 'listbox', 'aria-label': 'tasks found', hidden: true })
  const count = element('span', { class: 'found', role: 'status' })
  const input = element('input', {
    type: 'search',
    placeholder: 'Search tasks ( / )',
    'aria-label': 'search tasks by id',
    role: 'combobox',
    'aria-controls': 'offers',
    'aria-expanded': 'false',
    'aria-autocomplete': 'list',
    autocomplete: 'off',
    spellcheck: 'false',
  })
  let active = 0
  const open = (isOpen: boolean): void => {
    list.hidden = !isOpen || store.current.matches.length === 0
    setAttributes(input, { 'aria-expanded': String(!list.hidden), 'aria-activedescendant': list.hidden ? undefined : `offer-${active}` })
  }
  const choose = (task: number | undefined): void => {
    if (task === undefined) return
    open(false)
    // Found: what was only sought is of no interest any more.
    input.value = ''
    store.change({ query: '', matches: [] })
    actions.go(task)
  }
  const offer = (): void => {
    const { matches } = store.current
    list.replaceChildren(
      ...matches.slice(0, mostOffered).map((task, place) => {
        const about = index.data.tasks[task]
        const sign = element(
          'span',
          { class: `sign state-${about?.state ?? 'none'}`, 'aria-hidden': 'true' },
          stateSigns[about?.state ?? 'none'],
        )
        const row = element(
          'li',
          { id: `offer-${place}`, role: 'option', 'aria-selected': String(place === active) },
          sign,
          ` ${about?.id ?? ''}`,
        )
        // Before the field loses the focus, and with it the list goes.
        row.addEventListener('pointerdown', (event) => {
          event.preventDefault()
          choose(task)
        })
        return row
      }),
    )
    list.children[active]?.scrollIntoView({ block: 'nearest' })
    open(true)
  }
  input.addEventListener('input', () => {
    active = 0
    store.change({ query: input.value.trim(), matches: search(input.value, ids) })
    offer()
  })
  input.addEventListener('focus', offer)
  input.addEventListener('blur', () => open(false))
  input.addEventListener('keydown', (event) => {
    const { matches } = store.current
    const offered = Math.min(matches.length, mostOffered)
    if (event.key === 'Enter') choose(matches[active])
    else if (event.key === 'ArrowDown' && offered > 0) active = (active + 1) % offered
    else if (event.key === 'ArrowUp' && offered > 0) active = (active + offered - 1) % offered
    else if (event.key === 'Escape') {
      if (input.value === '') return input.blur()
      input.value = ''
      store.change({ query: '', matches: [] })
    } else return
    event.preventDefault()
    if (event.key !== 'Enter') offer()
  })
  return {
    input,
    box: element('div', { class: 'search' }, input, count, list),
    show({ query, matches }: PageView) {
      count.textContent = query === '' ? '' : `${matches.length} of ${ids.length}`
    },
  }
}
