/** Which tasks are shown: chosen values per facet, and how many tasks each value has. */
import type { PageTask } from '../page-data.ts'

export type Facet = 'state' | 'kind' | 'host'
export const facets: readonly Facet[] = ['state', 'kind', 'host']

/** Chosen values; a facet without any lets every task through. */
export type Choice = Readonly<Record<Facet, ReadonlySet<string>>>

export const everything: Choice = { state: new Set(), kind: new Set(), host: new Set() }

/** The value of tasks that run on no host. */
export const thisMachine = 'this machine'

export function valuesOf(task: PageTask, facet: Facet): readonly string[] {
  if (facet === 'kind') return [task.kind]
  if (facet === 'host') return task.hosts.length > 0 ? task.hosts : [thisMachine]
  return task.state === null ? [] : [task.state]
}

/** A task is shown when every facet lets it through. */
export function isShown(task: PageTask, choice: Choice, except?: Facet): boolean {
  return facets.every((facet) => {
    const chosen = choice[facet]
    return facet === except || chosen.size === 0 || valuesOf(task, facet).some((value) => chosen.has(value))
  })
}

/** Chooses a value, or takes the choice back. */
export function toggled(choice: Choice, facet: Facet, value: string): Choice {
  const values = new Set(choice[facet])
  if (!values.delete(value)) values.add(value)
  return { ...choice, [facet]: values }
}

export interface FacetValue {
  readonly value: string
  /** Tasks that choosing it would show, given the other facets. */
  readonly count: number
}

const stateOrder = ['run', 'may-run', 'unknown', 'fresh']

/** Every value that any task has, in a fixed order: states by how much they ask for, the rest by name. */
export function facetValues(tasks: readonly PageTask[], choice: Choice, facet: Facet): FacetValue[] {
  const counts = new Map<string, number>()
  for (const task of tasks) {
    const counted = isShown(task, choice, facet) ? 1 : 0
    for (const value of valuesOf(task, facet)) counts.set(value, (counts.get(value) ?? 0) + counted)
  }
  const values = [...counts].map(([value, count]) => ({ value, count }))
  if (facet === 'state') return values.sort((a, b) => stateOrder.indexOf(a.value) - stateOrder.indexOf(b.value))
  return values.sort((a, b) => Number(a.value === thisMachine) - Number(b.value === thisMachine) || (a.value < b.value ? -1 : 1))
}
