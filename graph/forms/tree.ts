import type { TaskGraph, TaskId } from '../types.ts'
import { type Dependency, dependenciesOf, type FormOptions, stateText } from './form.ts'

/** One task whose dependencies are being written. */
interface Branch {
  readonly dependencies: readonly Dependency[]
  /** Written before every line below this task. */
  readonly indent: string
  next: number
  /** Dependencies that already have their place in the tree. */
  readonly repeated: Dependency[]
}

/** Tasks below one another before the rest starts anew at the left: what is deeper is off every screen, and costs as much in indents as all else. */
const deepest = 32

/**
 * A tree for people: what nothing depends on stands at the left, what it waits for below it (`─` needed, `┄` order-only).
 * Every task is written out once; where it is met again it joins one line marked `(above)`. A branch that grows too deep goes on at the
 * left, where `(below)` says so.
 */
export function drawTree(graph: TaskGraph, options: FormOptions = {}): string {
  const { nameOf = (id) => id } = options
  const lines: string[] = []
  const written = new Set<TaskId>()
  const write = (start: string, id: TaskId): void => {
    const state = options.stateOf?.(id)
    lines.push(`${start}${nameOf(id)}${state ? `  ${stateText(state)}` : ''}`)
    written.add(id)
  }
  const branchOf = (id: TaskId, indent: string): Branch => ({ dependencies: dependenciesOf(graph.task(id)), indent, next: 0, repeated: [] })
  /** Tasks to write at the left, the next one last. */
  const roots = graph.order.filter((id) => graph.dependents(id).length === 0).reverse()
  const promised = new Set<TaskId>()

  for (let root = roots.pop(); root !== undefined; root = roots.pop()) {
    write('', root)
    const later: TaskId[] = []
    // A stack instead of recursion: a chain may be longer than the call stack is deep.
    const branches = [branchOf(root, '')]
    for (let branch = branches.at(-1); branch; branch = branches.at(-1)) {
      const dependency = branch.dependencies[branch.next++]
      if (!dependency) {
        lines.push(...repeatedLines(branch, nameOf))
        branches.pop()
      } else if (written.has(dependency.id)) {
        branch.repeated.push(dependency)
      } else {
        const isLast = branch.next === branch.dependencies.length && branch.repeated.length === 0
        const start = `${branch.indent}${isLast ? '└' : '├'}${stroke(dependency.orderOnly)} `
        if (branches.length < deepest && !promised.has(dependency.id)) {
          write(start, dependency.id)
          branches.push(branchOf(dependency.id, `${branch.indent}${isLast ? '   ' : '│  '}`))
        } else {
          lines.push(`${start}${nameOf(dependency.id)} (below)`)
          if (!promised.has(dependency.id)) later.push(dependency.id)
          promised.add(dependency.id)
        }
      }
    }
    roots.push(...later.reverse())
  }
  return lines.map((line) => `${line}\n`).join('')
}

function repeatedLines(branch: Branch, nameOf: (id: TaskId) => string): string[] {
  const groups = [false, true].map((orderOnly) => branch.repeated.filter((dependency) => dependency.orderOnly === orderOnly))
  const shown = groups.filter((group) => group.length > 0)
  return shown.map((group, index) => {
    const corner = index === shown.length - 1 ? '└' : '├'
    return `${branch.indent}${corner}${stroke(group[0]?.orderOnly === true)} ${group.map(({ id }) => nameOf(id)).join(', ')} (above)`
  })
}

function stroke(orderOnly: boolean): string {
  return orderOnly ? '┄' : '─'
}
