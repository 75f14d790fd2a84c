/** Writes the certificate of a run in which every task ended well: what its decisions rest on, of each task that can be vouched for. */
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
  certificatesFolder,
  platform,
  type Surroundings,
  secretsDigest,
  variablesDigest,
} from './certificate.ts'
import { CertificateRows } from './certificate-rows.ts'
import { forgetCertificates } from './forget-certificates.ts'
import { encodeFrame } from './frame.ts'
import { readStamp, type Stamped } from './stamp.ts'
import { type CertifiedTask, taskLine } from './task-lines.ts'
import type { Vouching } from './vouching.ts'

/** In one checkout. */
const mostCertificates = 200

export interface CertifyOptions extends Surroundings {
  readonly targets: readonly string[]
  /** Names what the graph was made from. */
  readonly definition: string
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
  readonly toolStamps: (argv: readonly string[], variables?: Readonly<Record<string, string>>) => Stamps | undefined
  /** What vouched for tasks in this run: they left no evidence, and need none. */
  readonly vouching?: Vouching | undefined
}

type Stamps = ReadonlyMap<string, Stamped | undefined>

interface Evidence {
  readonly fingerprint: Fingerprint
  readonly stamps: readonly Stamps[]
}

/** @returns whether a certificate was written. @throws the system's error when it cannot be. */
export function certify(options: CertifyOptions): boolean {
  const { targets, directory, manifest, graph } = options
  const rows = new CertificateRows()
  rows.add(manifest.path, manifest.stamp)
  const tasks = new Map<TaskId, CertifiedTask>()
  for (const id of graph.order) {
    const certified = certifiedTask(graph.task(id), rows, options)
    if (!certified) return false
    tasks.set(id, certified)
  }
  const vouchedFor = [...tasks.values()].filter(({ fingerprint: key }) => key !== undefined).length
  if (vouchedFor === 0) return false
  const head = headOf(rows.paths, vouchedFor === tasks.size, options)
  const text = [...tasks].map(([id, task]) => taskLine(id, task)).join('\n')
  replaceFile(join(directory, certificatePath(targets)), encodeFrame(certificateMark, { value: head, text, numbers: rows.stamps() }))
  forgetCertificates(join(directory, certificatesFolder), mostCertificates)
  return true
}

/** Undefined when it saw the world otherwise than another task did. */
function certifiedTask(task: Task, rows: CertificateRows, options: CertifyOptions): CertifiedTask | undefined {
  const { vouching, outcomes } = options
  const before = vouching?.vouched(task.id)
  if (vouching && before) {
    const { head, stamps } = vouching.certificate
    const copied = added(
      rows,
      before.rows.map((row) => [head.paths[row] ?? '', readStamp(stamps, row)] as const),
    )
    return copied && { ...before, rows: copied }
  }
  const result = resultOf(outcomes.get(task.id))
  if (!result) return undefined
  const resultDigest = digestOfResult(result)
  const evidence = evidenceFor(task, result, options)
  if (!evidence) return { fingerprint: undefined, resultDigest, rows: [] }
  const found = added(
    rows,
    evidence.stamps.flatMap((stamps) => [...stamps]),
  )
  return found && { fingerprint: evidence.fingerprint, resultDigest, rows: found }
}

function added(rows: CertificateRows, stamps: readonly (readonly [path: string, stamp: Stamped | undefined])[]): number[] | undefined {
  const found = new Set<number>()
  for (const [path, stamp] of stamps) {
    const row = rows.add(path, stamp)
    if (row === undefined) return undefined
    found.add(row)
  }
  return [...found].sort((one, other) => one - other)
}

/** What keeps this task from having anything to do; undefined when nobody can say. */
function evidenceFor(task: Task, result: ActionResult, options: CertifyOptions): Evidence | undefined {
  const kind = options.kinds.get(task.kind)
  const action = options.state.recordedAction(task.id)
  if (task.kind !== 'exec' || !kind || !action) return undefined
  const params = task.params as ExecParams
  const needs = new Map(task.needs.flatMap((id) => [[id, resultOf(options.outcomes.get(id)) ?? { files: {}, values: {} }] as const]))
  if (params.service !== null || kind.always?.(params, needs) !== undefined) return undefined
  // Kept only when it may be used again, and when no input changed meanwhile.
  const key = fingerprint(action)
  const kept = options.state.result(key)
  if (!kept || digestOfResult(kept) !== digestOfResult(result)) return undefined
  const stamps: Stamps[] = []
  const { files = [], tools = [], toolVariables } = kind.inputs?.(params) ?? {}
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
    const tool = options.toolStamps(argv, toolVariables)
    if (!tool) return undefined
    stamps.push(tool)
  }
  return { fingerprint: key, stamps }
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

function headOf(paths: readonly string[], isWhole: boolean, options: CertifyOptions): CertificateHead {
  const { targets, graph, build, definition, vouching } = options
  const { variables, secrets } = vouching?.certificate.head ?? digests(options)
  return { build, platform: platform(), targets, definition, tasks: graph.order.length, isWhole, variables, secrets, paths }
}

function digests({ graph, kinds, directory, env }: CertifyOptions): Pick<CertificateHead, 'variables' | 'secrets'> {
  const inputs = graph.order.map((id) => kinds.get(graph.task(id).kind)?.inputs?.(graph.task(id).params) ?? {})
  // Which program a tool is depends on where it is looked for.
  const patterns = unique(inputs.flatMap(({ environment = [], tools = [] }) => (tools.length > 0 ? [...environment, 'PATH'] : environment)))
  const names = unique(inputs.flatMap(({ secrets = [] }) => secrets))
  return {
    variables: { patterns, digest: variablesDigest(patterns, env) },
    secrets: { names, digest: secretsDigest(names, directory, env) },
  }
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort()
}
