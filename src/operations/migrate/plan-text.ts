/** A migration plan as a person or a program reads it. Pure. */
import { printable } from '../../ui/table.ts'
import type { DatabasePlan, StepState } from './plan.ts'

const states: readonly StepState[] = ['pending', 'drifted', 'unknown', 'applied']

export function planText(plans: readonly DatabasePlan[]): string {
  return `${plans.map(oneText).join('\n\n')}\n`
}

function oneText({ target, steps, foreign, unknown }: DatabasePlan): string {
  const counts = states.map((state) => [state, countOf(steps, state)] as const).filter(([, count]) => count > 0)
  const summary = counts.length === 0 ? 'no migrations' : counts.map(([state, count]) => `${count} ${state}`).join(', ')
  const width = Math.max(0, ...steps.map(({ id }) => id.length))
  return [
    `${target.name}: ${summary} (${target.engine}, ${target.strategy}, ${target.path})`,
    ...(unknown === undefined ? [] : [`  not known what was applied: ${unknown}`]),
    ...steps.map(
      ({ id, state, tags }) =>
        `  ${printable(id).padEnd(width)}  ${state}${tags.length > 0 ? `  [${tags.map(printable).join(', ')}]` : ''}`,
    ),
    ...(foreign.length === 0 ? [] : [`  applied earlier, and not in this project: ${foreign.map(printable).join(', ')}`]),
    ...(countOf(steps, 'drifted') > 0
      ? ['  drifted: changed after it was applied; restore the file, and put the change into a new one']
      : []),
  ].join('\n')
}

/** Schema: spec/commands/migrate.md. */
export function planJson(environment: string, plans: readonly DatabasePlan[]): string {
  const json = {
    schema_version: 1,
    env: environment,
    databases: plans.map(({ target, steps, foreign, unknown }) => ({
      ...{ database: target.name, engine: target.engine, strategy: target.strategy, path: target.path },
      ...{ known: unknown === undefined, detail: unknown ?? null },
      migrations: steps.map(({ id, state, description, tags, source }) => ({ id, status: state, description, tags, source })),
      foreign,
      summary: { total: steps.length, ...Object.fromEntries(states.map((state) => [state, countOf(steps, state)])) },
    })),
  }
  return `${JSON.stringify(json, null, 2)}\n`
}

function countOf(steps: DatabasePlan['steps'], wanted: StepState): number {
  return steps.filter(({ state }) => state === wanted).length
}
