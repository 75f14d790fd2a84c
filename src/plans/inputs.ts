import { digestOf, digestOfJson } from '../../graph/fingerprint.ts'
import type { FileState, Task } from '../../graph/types.ts'
import type { TaskKind } from '../../tasks/kind.ts'
import { type Assessor, actionOf } from '../assess.ts'
import type { TaskInputs } from './saved-plan.ts'

/** Above this, files of a task are one digest: a plan is read by people too. */
const namedFiles = 1000
const digestLength = 16

/**
 * What a task is made from, as far as it does not come from other tasks: known before any of them has run. Only digests, and of secrets only
 * those made with the project's key. @throws TaskFailure when a declared file cannot be read.
 * @param readsFiles false: what lies in its files is still to be written.
 */
export async function inputsOf(task: Task, kind: TaskKind, assessor: Assessor, readsFiles: boolean): Promise<TaskInputs> {
  const declared = kind.inputs?.(task.params) ?? {}
  // Which tools are here is none of a plan's business: another machine may carry it out.
  const { tools: _tools, files: _files, platform: _platform, ...others } = declared
  const files = readsFiles && declared.files ? { files: declared.files } : {}
  const alone: TaskKind = { ...kind, inputs: () => ({ ...others, ...files }) }
  const action = await actionOf({ ...task, needs: [] }, alone, new Map(), assessor)
  return {
    definition: short(digestOfJson([action.kind, action.version, action.params])),
    variables: mapped(action.env, (value) => short(digestOf(value))),
    secrets: mapped(action.secrets, short),
    files: fileDigests(action.files),
  }
}

function fileDigests(files: Readonly<Record<string, FileState>>): Record<string, string> {
  const count = Object.keys(files).length
  if (count > namedFiles) return { [`${count} files`]: short(digestOfJson({ ...files })) }
  return mapped(files, (state) => short(digestOfJson(state)))
}

/** Sorted by name. */
function mapped<T>(values: Readonly<Record<string, T>>, change: (value: T) => string): Record<string, string> {
  const names = Object.keys(values).sort()
  return Object.fromEntries(names.map((name) => [name, change(values[name] as T)]))
}

function short(digest: string): string {
  return digest.slice(0, digestLength)
}
