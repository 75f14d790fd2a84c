import { posix } from 'node:path'
import { digestOf } from '../../graph/fingerprint.ts'
import type { ActionResult } from '../../graph/types.ts'
import type { Ports } from '../ports.ts'
import { mountedPath } from './bundle-layout.ts'
import type { LocalInput, Place } from './local-inputs.ts'
import type { RenderProblem } from './model.ts'
import type { Sidecar } from './params.ts'
import { storeProjectTree } from './project-tree.ts'
import { evaluate, variableNames } from './template.ts'

/** What travels beside the Compose file, and where on the host it will be. */
export interface LocalBundle {
  /** Stored; by path below the host's folder. */
  readonly files: ActionResult['files']
  /** Written by `upload`, with the keyed digest of what is in each. */
  readonly sidecars: readonly { readonly sidecar: Sidecar; readonly digest: string }[]
  readonly place: Place
  readonly problems: readonly RenderProblem[]
}

type LocalPorts = Pick<Ports, 'content' | 'secrets' | 'projectDirectory'>

/** The secret that stands for a project file. */
export function fileSecret(path: string): string {
  return `file:${path}`
}

/** Stores what may be seen and lists what may not. `directory` is the host's folder. */
export async function bundleLocalInputs(inputs: readonly LocalInput[], directory: string, ports: LocalPorts): Promise<LocalBundle> {
  const files: Record<string, ActionResult['files'][string]> = {}
  const sidecars = new Map<string, LocalBundle['sidecars'][number]>()
  const places = new Map<string, string | undefined>()
  const problems = secretsInFolders(inputs)

  const mount = (path: string) => `${directory}/${path}`
  const addSidecar = (sidecar: Sidecar, digest: string) => sidecars.set(sidecar.path, { sidecar, digest })
  const add = async (input: LocalInput): Promise<string | undefined> => {
    if (input.use === 'text') return addText(input.name, input.template)
    const { path } = input
    const name = posix.basename(path)
    if (input.use === 'file') {
      const entries = await storeProjectTree(ports.projectDirectory, path, ports.content)
      const tree = mountedPath(digestOf(JSON.stringify([name, entries])), name)
      for (const { path: inner, digest, executable } of entries) files[inner === '' ? tree : `${tree}/${inner}`] = { digest, executable }
      return mount(tree)
    }
    const secret = fileSecret(path)
    const digest = ports.secrets.digest(secret)
    if (digest === 'absent') {
      if (input.use === 'secret-file' || input.required) problems.push(absentFile(input.path, input.use))
      return undefined
    }
    const sidecar = { path: input.use === 'env-file' ? `env/${path}` : mountedPath(digestOf(JSON.stringify([name, digest])), name), secret }
    addSidecar(sidecar, digest)
    return input.use === 'env-file' ? sidecar.path : mount(sidecar.path)
  }
  const addText = async (name: string, template: string): Promise<string> => {
    const names = variableNames(template)
    if (names.length === 0) {
      const digest = await ports.content.write(Buffer.from(evaluate(template, () => undefined)))
      const path = mountedPath(digestOf(JSON.stringify([name, digest])), name)
      files[path] = { digest, executable: false }
      return mount(path)
    }
    const digest = digestOf(JSON.stringify([template, names.map((secret) => [secret, ports.secrets.digest(secret)])]))
    const path = mountedPath(digestOf(JSON.stringify([name, digest])), name)
    addSidecar({ path, template }, digest)
    return mount(path)
  }

  for (const input of inputs) places.set(keyOf(input), places.get(keyOf(input)) ?? (await add(input)))
  return { files, sidecars: [...sidecars.values()], place: (input) => places.get(keyOf(input)), problems }
}

function keyOf(input: LocalInput): string {
  return JSON.stringify(input.use === 'text' ? [input.use, input.name, input.template] : [input.use, input.path])
}

/** A folder is stored as it is, so a secret inside it would be stored too. */
function secretsInFolders(inputs: readonly LocalInput[]): RenderProblem[] {
  const paths = (wanted: boolean) =>
    inputs.flatMap((input) => (input.use !== 'text' && (input.use === 'file') === wanted ? [input.path] : []))
  return paths(true).flatMap((folder) =>
    paths(false)
      .filter((secret) => secret === folder || secret.startsWith(`${folder}/`))
      .map((secret) => ({
        kind: 'invalid' as const,
        name: folder,
        owner: 'bind mounts',
        path: folder,
        message: `contains ${secret}, which is a secret; keep it outside of what is bound`,
      })),
  )
}

function absentFile(path: string, use: 'secret-file' | 'env-file'): RenderProblem {
  const owner = use === 'env-file' ? 'env_file' : 'secrets'
  return { kind: 'invalid', name: path, owner, path, message: 'does not exist in the project folder' }
}
