/** The register as a graph: no unknown name, no cycle, nothing finished on top of what is not begun. */
import { type Feature, type Register, registerPath } from './register.ts'
import { errorsIn, type Violation } from './violation.ts'

export function dependencyViolations({ features }: Register): Violation[] {
  const byId = new Map(features.map((feature) => [feature.id, feature]))
  const found = features.flatMap(({ id, status, dependsOn, lineOf }) =>
    dependsOn.flatMap((name, index): Violation[] => {
      const error = errorsIn(registerPath, id)
      const line = lineOf('depends_on', index)
      const needed = byId.get(name)
      if (!needed) return [error(line, 'UNKNOWN_DEPENDENCY', `depends on ${name}, which is not listed; expected the id of a feature`)]
      if (status !== 'done' || needed.status === 'done' || needed.status === 'wip') return []
      return [error(line, 'STATUS_INCONSISTENT', `is done but depends on ${name}, which is ${needed.status}; expected done or wip`)]
    }),
  )
  return [...found, ...cycles(byId)]
}

/** Each cycle once, at the first of its features in the register. */
function cycles(byId: ReadonlyMap<string, Feature>): Violation[] {
  const settled = new Set<string>()
  const found: Violation[] = []
  const visit = (id: string, path: readonly string[]): void => {
    const begin = path.indexOf(id)
    if (begin !== -1) {
      const round = [...path.slice(begin), id]
      const line = byId.get(id)?.lineOf('depends_on') ?? 1
      found.push(errorsIn(registerPath, id)(line, 'CYCLE', `features depend on each other: ${round.join(' → ')}; expected no way back`))
    }
    if (begin !== -1 || settled.has(id)) return
    for (const next of byId.get(id)?.dependsOn ?? []) visit(next, [...path, id])
    settled.add(id)
  }
  for (const id of byId.keys()) visit(id, [])
  return found
}
