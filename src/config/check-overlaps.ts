/** Tells of files that two tasks write, or that one reads and another writes, with the lines of both. */
import type { Diagnostic } from '../../graph/types.ts'
import type { LoadedConfig } from './config.ts'
import { problem, type Report } from './diagnostic.ts'
import { findOverlaps, type Overlap } from './overlaps.ts'
import { dependenciesByName } from './target-dependencies.ts'
import { filesOf } from './task-files.ts'

export function checkOverlaps(loaded: LoadedConfig, report: Report): void {
  const { config } = loaded
  const declared = Object.entries(config.tasks).map(([name, task]) => ({ name: `exec:${name}`, ...filesOf(task) }))
  const nodes = dependenciesByName(config)
  for (const overlap of findOverlaps(declared, (name) => nodes.get(name) ?? [])) report(overlapProblem(overlap, loaded))
}

function overlapProblem({ how, task, pattern, writer, writerPattern, path }: Overlap, { config, locate }: LoadedConfig): Diagnostic {
  const [name, other] = [nameOf(task), nameOf(writer)]
  const part = how === 'writes' ? 'outputs' : 'inputs'
  const there = {
    message: `\`${other}\` writes \`${config.tasks[other]?.outputs[writerPattern]}\``,
    location: locate(['tasks', other, 'outputs', writerPattern]),
  }
  const here = locate(['tasks', name, part, pattern])
  const own = config.tasks[name]?.[part]?.[pattern]
  if (how === 'writes') {
    const remedy = { message: 'a file has one task that writes it: give them folders of their own, or take files out with `!`' }
    return problem('SC1108', `tasks \`${other}\` and \`${name}\` both write \`${path}\`: \`${name}\` has \`${own}\``, here, {
      notes: [there, remedy],
    })
  }
  const remedy = { message: `add \`${other}\` to \`needs\` of \`${name}\`, or take its files out of \`inputs\` with \`!\`` }
  const message = `task \`${name}\` reads \`${path}\`, which \`${other}\` writes, and does not need it: \`${name}\` has \`${own}\``
  return problem('SC1109', message, here, { notes: [there, remedy] })
}

function nameOf(id: string): string {
  return id.slice('exec:'.length)
}
