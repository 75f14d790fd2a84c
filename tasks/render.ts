import { digestOfJson } from '../graph/fingerprint.ts'
import type { ActionResult, TaskId } from '../graph/types.ts'
import type { FileSet } from './kind.ts'
import { defineTask, type Inputs, type TaskContext, TaskFailure } from './kind.ts'
import { composeFileName } from './rendering/bundle-layout.ts'
import { sortedNames, stringsIn } from './rendering/json.ts'
import { bundleLocalInputs, fileSecret, type LocalBundle } from './rendering/local-bundle.ts'
import { type LocalInput, localInputs, placeLocalInputs } from './rendering/local-inputs.ts'
import { type HostModel, hostModel, type RenderProblem, secretScope } from './rendering/model.ts'
import { type RenderParams, type RenderValues, renderParams } from './rendering/params.ts'
import { variableNames } from './rendering/template.ts'
import { imageDigest, sentReference } from './transferring/names.ts'

export type { RenderProblem } from './rendering/model.ts'
export type { RenderParams, RenderValues } from './rendering/params.ts'

/**
 * Writes one complete Compose file for one host. Its bytes hold no secret: those are named in `values.variables` and
 * `values.sidecars` and enter hashes as keyed digests, so the result can be cached and shown.
 */
export const render = defineTask<RenderParams>({
  name: 'render',
  version: 3,
  summary: 'writes the Compose file of one host',
  freshness: 'content',
  phase: 'rollout',
  pure: true,
  params: renderParams,
  title: (params) => `render ${params.host}`,
  inputs: declaredInputs,
  select(_params, _need, result) {
    return { repository: result.values['repository'] ?? null, digest: imageDigest(result) ?? null }
  },
  run,
})

/** Secrets are taken to have values here; a name too many costs a run of a cheap task, one too few a wrong hit. */
export function declaredInputs(params: RenderParams): Inputs {
  const model = hostModel(params, secretScope(params))
  const { inputs } = localInputs(model, params.composeDirectory ?? '')
  const pathsOf = (...uses: readonly LocalInput['use'][]) =>
    sortedNames(inputs.flatMap((input) => (input.use !== 'text' && uses.includes(input.use) ? [input.path] : [])))
  const templates = inputs.flatMap((input) => (input.use === 'text' ? [input.template] : []))
  const referred = stringsIn([model.services, model.resources, templates]).flatMap((text) => variableNames(text))
  const given = Object.values(params.services).some(({ ownCode }) => ownCode) ? params.envFileNames : []
  const names = [
    ...referred.filter((name) => model.scope.secrets.has(name)),
    ...given,
    ...pathsOf('secret-file', 'env-file').map(fileSecret),
  ]
  return { files: pathsOf('file').map(fileSet), secrets: sortedNames(names) }
}

/** All that is wrong with a host's share of the Compose file, as far as can be told without looking at files or secrets. */
export function renderProblems(params: RenderParams): readonly RenderProblem[] {
  return localInputs(hostModel(params, secretScope(params)), params.composeDirectory ?? '').problems
}

/** Variables without a value or a default. */
export function unresolvedVariables(params: RenderParams): readonly RenderProblem[] {
  return renderProblems(params).filter(({ kind }) => kind === 'unresolved')
}

/** A file or a folder: a plan does not know which it is. */
function fileSet(path: string): FileSet {
  const slash = path.lastIndexOf('/')
  const name = path.slice(slash + 1).replace(/[\\*?[\]{}()!+@]/g, '\\$&')
  return { root: slash < 0 ? '.' : path.slice(0, slash), include: [name, `${name}/**`] }
}

/** A model whose local paths are places in the host's folder, and all that is to be there. */
export interface LocatedModel {
  readonly model: HostModel
  readonly local: LocalBundle
  /** Reference by digest of each service whose image is ours. */
  readonly images: Readonly<Record<string, string>>
}

/** Stores what may be seen. @throws TaskFailure that names everything wrong with the Compose file. */
export async function locatedModel(params: RenderParams, context: TaskContext): Promise<LocatedModel> {
  const { secrets } = context.ports
  const present = [...secretScope(params)].filter((name) => secrets.digest(name) !== 'absent')
  const model = hostModel(params, new Set(present))
  const wanted = localInputs(model, params.composeDirectory ?? '')
  refuse(params, wanted.problems)
  const local = await bundleLocalInputs(wanted.inputs, params.directory, context.ports)
  refuse(params, local.problems)
  return { model: placeLocalInputs(model, params.composeDirectory ?? '', local.place), local, images: pushedImages(params, context.needs) }
}

async function run(params: RenderParams, context: TaskContext): Promise<ActionResult> {
  const { content, secrets } = context.ports
  const { model, local, images } = await locatedModel(params, context)
  const digests = Object.fromEntries(local.sidecars.map(({ sidecar, digest }) => [sidecar.path, digest]))
  // It loads a writer of YAML, and most runs render nothing.
  const { composeBundle } = await import('./rendering/compose-bundle.ts')
  const { text, services, variables } = composeBundle({
    params,
    model,
    images,
    digest: (name) => secrets.digest(name),
    sidecars: digests,
  })
  const files = { ...local.files, [composeFileName]: { digest: await content.write(Buffer.from(text)), executable: false } }
  const environment = Object.fromEntries(variables.map((name) => [name, secrets.digest(name)]))
  const values: RenderValues = {
    bundle: digestOfJson({ files, environment, sidecars: digests }),
    services,
    variables: [...variables],
    sidecars: local.sidecars.map(({ sidecar }) => sidecar).sort((a, b) => (a.path < b.path ? -1 : 1)),
  }
  return { files, values }
}

function pushedImages(params: RenderParams, needs: ReadonlyMap<TaskId, ActionResult>): Record<string, string> {
  const pinned = Object.entries(params.services).flatMap(([name, { image }]) => {
    if (image === null) return []
    const digest = imageDigest(needs.get(image.push))
    if (digest === undefined) throw new TypeError(`${image.push} yielded no digest for ${name}`)
    return [[name, image.sent ? sentReference(image.repository, digest) : `${image.repository}@${digest}`] as const]
  })
  return Object.fromEntries(pinned)
}

/** @throws TaskFailure that names them all. */
function refuse(params: RenderParams, problems: readonly RenderProblem[]): void {
  if (problems.length === 0) return
  const lines = problems.map(({ owner, path, name, message }) => `${owner}: ${path === name ? '' : `${path}: `}\`${name}\` ${message}`)
  throw new TaskFailure({
    reason: 'refused',
    subject: `Compose file for ${params.host}`,
    message: [...new Set(lines)].join('\n'),
    ...(problems.some(({ kind }) => kind === 'unresolved') && {
      remedy: `define them under \`environments.${params.environment}.variables\`, or in the environment file if they are secret`,
    }),
  })
}
