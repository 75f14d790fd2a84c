import type { TaskGraph, TaskId } from '../types.ts'
import { type Dependency, dependenciesOf, type FormOptions } from './form.ts'

/** One task whose dependencies are being written. */
interface Branch {
  readonly dependencies: readonly Dependency[]
  /** Written before every line below this task. */
  readonly indent: string
  next: number
  /** Dependencies that already have their place in the tree. */
  readonly repeated: Dependency[]
}

/**
 * A tree for people: what nothing depends on stands at the left, what it waits for below it (`─` needed, `┄` order-only).
 * Every task is written out once; where it is met again it joins one line marked `(above)`.
 */
export function drawTree(graph: TaskGraph, options: FormOptions = {}): string {
  const lines: string[] = []
  const written = new Set<TaskId>()
  const write = (start: string, id: TaskId): void => {
    const annotation = options.annotate?.(id)
    lines.push(`${start}${id}${annotation ? `  ${annotation.replace(/\s*\n\s*/g, ' ')}` : ''}`)
    written.add(id)
  }
  const branchOf = (id: TaskId, indent: string): Branch => ({ dependencies: dependenciesOf(graph.task(id)), indent, next: 0, repeated: [] })

  for (const root of graph.order.filter((id) => graph.dependents(id).length === 0)) {
    write('', root)
    // A stack instead of recursion: a chain may be longer than the call stack is deep.
    const branches = [branchOf(root, '')]
    for (let branch = branches.at(-1); branch; branch = branches.at(-1)) {
      const dependency = branch.dependencies[branch.next++]
      if (!dependency) {
        lines.push(...repeatedLines(branch))
        branches.pop()
      } else if (written.has(dependency.id)) {
        branch.repeated.push(dependency)
      } else {
        const isLast = branch.next === branch.dependencies.length && branch.repeated.length === 0
        write(`${branch.indent}${isLast ? '└' : '├'}${stroke(dependency.orderOnly)} `, dependency.id)
        branches.push(branchOf(dependency.id, `${branch.indent}${isLast ? '   ' : '│  '}`))
      }
    }
  }
  return lines.map((line) => `${line}\n`).join('')
}

function repeatedLines(branch: Branch): string[] {
  const groups = [false, true].map((orderOnly) => branch.repeated.filter((dependency) => dependency.orderOnly === orderOnly))
  const shown = groups.filter((group) => group.length > 0)
  return shown.map((group, index) => {
    const corner = index === shown.length - 1 ? '└' : '├'
    return `${branch.indent}${corner}${stroke(group[0]?.orderOnly === true)} ${group.map(({ id }) => id).join(', ')} (above)`
  })
}

function stroke(orderOnly: boolean): string {
  return orderOnly ? '┄' : '─'
}
