/** Writes the certificate of a run in which every task ended well, when all that its decisions rest on can be vouched for. */
import { join } from 'node:path'
import { replaceFile } from '../../cache/replace-file.ts'
import { digestOfResult, fingerprint } from '../../graph/fingerprint.ts'
import type { Action, ActionResult, Fingerprint, Outcome, Task, TaskGraph, TaskId } from '../../graph/types.ts'
import type { ExecParams } from '../../tasks/exec/params.ts'
import type { TaskKind } from '../../tasks/kind.ts'
import type { Matched } from '../files/file-index.ts'
import {
  type CertificateHead,
  certificateMark,
  certificatePath,
  platform,
  type Surroundings,
  secretsDigest,
  variablesDigest,
} from './certificate.ts'
import { encodeFrame } from './frame.ts'
import { type Stamped, stampLength, writeStamp } from './stamp.ts'

export interface CertifyOptions extends Surroundings {
  readonly targets: readonly string[]
  /** Exactly the graph of the targets. */
  readonly graph: TaskGraph
  readonly outcomes: ReadonlyMap<TaskId, Outcome>
  readonly kinds: ReadonlyMap<string, TaskKind>
  /** How the manifest looked before it was read. */
  readonly manifest: { readonly path: string; readonly stamp: Stamped }
  readonly state: { recordedAction(id: TaskId): Action | undefined; result(key: Fingerprint): ActionResult | undefined }
  readonly files: {
    evidence(patterns: readonly string[], use: 'input' | 'output', anew: boolean): (Matched & { readonly stamps: Stamps }) | undefined
  }
  /** What a tool's word rests on; undefined for one that has to be asked. */
  readonly toolStamps: (argv: readonly string[]) => Stamps | undefined
}

type Stamps = ReadonlyMap<string, Stamped | undefined>

/** @returns whether a certificate was written. @throws the system's error when it cannot be. */
export function certify(options: CertifyOptions): boolean {
  const { targets, directory, manifest } = options
  const path = certificatePath(targets)
  if (path === undefined) return false
  const stamps = new Map<string, Stamped | undefined>([[manifest.path, manifest.stamp]])
  for (const id of options.graph.order) {
    const evidence = evidenceFor(options.graph.task(id), options)
    if (!evidence?.every((found) => merge(stamps, found))) return false
  }
  replaceFile(join(directory, path), encodeFrame(certificateMark, { value: headOf(stamps, options), text: '', numbers: columns(stamps) }))
  return true
}

/** What keeps this task from having anything to do; undefined when nobody can say. */
function evidenceFor(task: Task, options: CertifyOptions): readonly Stamps[] | undefined {
  const kind = options.kinds.get(task.kind)
  const result = resultOf(options.outcomes.get(task.id))
  const action = options.state.recordedAction(task.id)
  if (task.kind !== 'exec' || !kind || !result || !action) return undefined
  const params = task.params as ExecParams
  const needs = new Map(task.needs.flatMap((id) => [[id, resultOf(options.outcomes.get(id)) ?? { files: {}, values: {} }] as const]))
  if (params.service !== null || kind.always?.(params, needs) !== undefined) return undefined
  // Kept only when it may be used again, and when no input changed meanwhile.
  const kept = options.state.result(fingerprint(action))
  if (!kept || digestOfResult(kept) !== digestOfResult(result)) return undefined
  const stamps: Stamps[] = []
  const { files = [], tools = [] } = kind.inputs?.(params) ?? {}
  for (const set of files) {
    const inputs = either(
      (anew) => options.files.evidence(set.include ?? [], 'input', anew),
      ({ states }) => sameStates(states, action.files),
    )
    if (!inputs) return undefined
    stamps.push(inputs.stamps)
  }
  if (params.outputs.length > 0) {
    const outputs = either(
      (anew) => options.files.evidence(params.outputs, 'output', anew),
      (found) => isExactly(found, result),
    )
    if (!outputs) return undefined
    stamps.push(outputs.stamps)
  }
  for (const argv of tools) {
    const tool = options.toolStamps(argv)
    if (!tool) return undefined
    stamps.push(tool)
  }
  return stamps
}

/** What is known shows it, or a new look does: outputs were written since anybody looked. */
function either<T>(look: (anew: boolean) => T | undefined, fits: (found: T) => boolean): T | undefined {
  for (const anew of [false, true]) {
    const found = look(anew)
    if (found && fits(found)) return found
  }
  return undefined
}

function resultOf(outcome: Outcome | undefined): ActionResult | undefined {
  return outcome?.status === 'ran' || outcome?.status === 'skipped' ? outcome.result : undefined
}

/** Two tasks that saw one path differently cannot both be up to date. */
function merge(stamps: Map<string, Stamped | undefined>, found: Stamps): boolean {
  for (const [path, stamp] of found) {
    const known = stamps.get(path)
    if (known === undefined && !stamps.has(path)) stamps.set(path, stamp)
    else if (known !== stamp && (!known || !stamp || known.ctimeMs !== stamp.ctimeMs || known.ino !== stamp.ino)) return false
  }
  return true
}

function sameStates(found: Readonly<Record<string, string>>, recorded: Readonly<Record<string, string>>): boolean {
  const paths = Object.keys(found)
  return paths.length === Object.keys(recorded).length && paths.every((path) => found[path] === recorded[path])
}

/** Is what was matched the result, with nothing more and nothing less? */
export function isExactly({ states, empty, mode }: Matched, { files, links = {}, folders = [] }: ActionResult): boolean {
  const paths = Object.keys(states)
  if (paths.length !== Object.keys(files).length + Object.keys(links).length) return false
  if (empty.length !== folders.length || empty.some((folder, index) => folder !== folders[index])) return false
  return paths.every((path) => {
    const file = files[path]
    if (!file) return links[path] !== undefined && states[path] === `link:${links[path]}`
    const isSameMode = file.mode === undefined || (file.mode & 0o777) === (mode(path) & 0o777)
    return isSameMode && states[path] === (file.executable ? `${file.digest}+x` : file.digest)
  })
}

function headOf(stamps: Stamps, { targets, graph, kinds, build, directory, env }: CertifyOptions): CertificateHead {
  const inputs = graph.order.map((id) => kinds.get(graph.task(id).kind)?.inputs?.(graph.task(id).params) ?? {})
  const patterns = unique(inputs.flatMap(({ environment = [] }) => environment))
  const names = unique(inputs.flatMap(({ secrets = [] }) => secrets))
  return {
    build,
    platform: platform(),
    targets,
    tasks: graph.order.length,
    variables: { patterns, digest: variablesDigest(patterns, env) },
    secrets: { names, digest: secretsDigest(names, directory, env) },
    paths: [...stamps.keys()],
  }
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort()
}

function columns(stamps: Stamps): Float64Array {
  const numbers = new Float64Array(stamps.size * stampLength)
  let row = 0
  for (const stamp of stamps.values()) writeStamp(numbers, row++, stamp)
  return numbers
}
