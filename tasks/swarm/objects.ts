/** The swarm's configs and secrets that a service mounts: made before it, by content, so that an old copy keeps what it was made with. */
import { Buffer } from 'node:buffer'
import type { ActionResult } from '../../graph/types.ts'
import { type TaskContext, TaskFailure } from '../kind.ts'
import type { Host } from '../ports.ts'
import { evaluate } from '../rendering/template.ts'
import { mountedNames, type ObjectIds } from './fill.ts'
import type { StackService, StackValues } from './params.ts'

/** What the Engine takes as one config; a secret may have half of it. */
const limitBytes = { Config: 1_000_000, Secret: 500_000 } as const

/** @returns ids by name. @throws TaskFailure for one that is too large, or that somebody else was to make. */
export async function makeObjects(
  host: Host,
  { spec }: StackService,
  stack: StackValues,
  files: ActionResult['files'],
  context: TaskContext,
): Promise<ObjectIds> {
  const made = async (kind: 'Config' | 'Secret') => {
    const ids: Record<string, string> = {}
    for (const name of new Set(mountedNames(spec, kind))) ids[name] = await make(kind, name)
    return ids
  }
  return { Config: await made('Config'), Secret: await made('Secret') }

  async function make(kind: 'Config' | 'Secret', name: string): Promise<string> {
    const objects = kind === 'Config' ? 'configs' : 'secrets'
    const there = await host.swarm.find(objects, name)
    if (there !== undefined) return there.id
    const bytes = await contentOf(kind, name)
    if (bytes === undefined) throw missing(kind, name, host.name)
    if (bytes.length > limitBytes[kind]) throw tooLarge(kind, name, bytes.length)
    await context.guard()
    context.log(`making ${kind.toLowerCase()} ${name}`)
    return host.swarm.make(objects, { Name: name, Data: Buffer.from(bytes).toString('base64') })
  }

  async function contentOf(kind: 'Config' | 'Secret', name: string): Promise<Uint8Array | undefined> {
    const { content, secrets } = context.ports
    if (kind === 'Config') {
      const digest = files[stack.configs.find((config) => config.name === name)?.file ?? '']?.digest
      return digest && content.read(digest)
    }
    const wanted = stack.secrets.find((secret) => secret.name === name)?.content
    if (wanted === undefined) return undefined
    const lookup = (secret: string) => secrets.get(secret)
    return Buffer.from('secret' in wanted ? secrets.get(wanted.secret) : evaluate(wanted.template, lookup))
  }
}

function missing(kind: string, name: string, host: string): TaskFailure {
  const word = kind.toLowerCase()
  return new TaskFailure({
    reason: 'refused',
    subject: name,
    message: `the swarm of ${host} has no ${word} ${name}, which the Compose file says is there (external)`,
    remedy: `make it, on a manager: docker ${word} create ${name} <file>`,
  })
}

function tooLarge(kind: 'Config' | 'Secret', name: string, size: number): TaskFailure {
  return new TaskFailure({
    reason: 'refused',
    subject: name,
    message: `${name} has ${size} bytes, and a swarm takes ${limitBytes[kind]} as one ${kind.toLowerCase()}`,
    remedy: 'put it into the image',
  })
}
