/** A builder and a registry that live in memory and record what they were asked. */
import { Readable } from 'node:stream'
import type { ActionResult, Fingerprint, TaskId } from '../../graph/types.ts'
import type { TaskContext } from '../../tasks/kind.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import type { Builder, BuildRequest, Command, ImageManifest, Ports, Registry, RegistryCredentials } from '../../tasks/ports.ts'

type Manifest = ImageManifest

/** What a registry holds, by reference. Every manifest can be asked for by its digest too. */
export class FakeRegistry implements Registry {
  readonly manifests = new Map<string, Manifest>()
  readonly asked: string[] = []
  /** Thrown by every look, when set. */
  failure: TaskFailure | undefined

  hold(reference: string, manifest: Manifest): void {
    this.manifests.set(reference, manifest)
    this.manifests.set(`${reference.replace(/:[^:/]+$/, '')}@${manifest.digest}`, manifest)
  }
  async manifest(reference: string): Promise<Manifest | undefined> {
    this.asked.push(reference)
    if (this.failure) throw this.failure
    return this.manifests.get(reference)
  }
  async publishIndex(reference: string, platforms: Readonly<Record<string, string>>): Promise<string> {
    const digest = `sha256:index-of-${Object.values(platforms)
      .map((each) => each.slice(-1))
      .join('-')}`
    this.hold(reference, { digest, platforms })
    return digest
  }
  forget(): void {}
  async credentials(): Promise<RegistryCredentials | undefined> {
    return undefined
  }
}

/** An engine's images, by reference. A push puts the image into the registry, under a digest made from its id. */
export class FakeBuilder implements Builder {
  readonly images = new Map<string, string>()
  readonly builds: BuildRequest[] = []
  readonly pushes: string[] = []
  /** Layers, by image id. */
  readonly layersOf = new Map<string, readonly string[]>()
  /** What the next builds make. */
  nextImageId = 'sha256:image-1'
  /** References that the registry refuses. */
  readonly refused = new Set<string>()
  readonly #registry: FakeRegistry

  constructor(registry: FakeRegistry) {
    this.#registry = registry
  }
  async build(request: BuildRequest, onLine: (line: string) => void): Promise<string> {
    this.builds.push(request)
    onLine('#1 building')
    for (const tag of request.tags) this.images.set(tag, this.nextImageId)
    return this.nextImageId
  }
  readonly commands: Command[] = []
  async buildWith(command: Command, reference: string): Promise<string> {
    this.commands.push(command)
    this.images.set(reference, this.nextImageId)
    return this.nextImageId
  }
  async imageId(reference: string): Promise<string | undefined> {
    return this.images.get(reference)
  }
  async tag(source: string, reference: string): Promise<void> {
    const imageId = this.images.get(source)
    if (imageId === undefined) throw new TaskFailure({ reason: 'exit', subject: source, message: 'no such image' })
    this.images.set(reference, imageId)
  }
  async layers(reference: string): Promise<readonly string[] | undefined> {
    const imageId = this.images.get(reference)
    return imageId === undefined ? undefined : (this.layersOf.get(imageId) ?? [])
  }
  async save(): Promise<Readable> {
    return Readable.from([])
  }
  async push(reference: string, onLine: (line: string) => void): Promise<string> {
    const imageId = this.images.get(reference)
    if (imageId === undefined || this.refused.has(reference)) {
      throw new TaskFailure({ reason: 'refused', subject: reference, message: `${reference} was refused` })
    }
    this.pushes.push(reference)
    onLine('Pushed')
    const digest = imageId.replace('image', 'manifest')
    this.#registry.hold(reference, { digest, imageId })
    return digest
  }
}

export interface ImageWorld {
  readonly builder: FakeBuilder
  readonly registry: FakeRegistry
  readonly lines: string[]
  context(id: string, options?: { fingerprint?: string; needs?: Readonly<Record<string, ActionResult>>; signal?: AbortSignal }): TaskContext
}

/** Everything `build` and `push` act on. Asking for any other port throws. */
export function imageWorld({
  version = 'v1',
  secrets = {},
}: {
  version?: string
  secrets?: Readonly<Record<string, string>>
} = {}): ImageWorld {
  const registry = new FakeRegistry()
  const builder = new FakeBuilder(registry)
  const lines: string[] = []
  const refuse = (): never => {
    throw new Error('not a port of images')
  }
  const ports: Ports = {
    host: refuse,
    builder,
    registry,
    spool: { take: refuse },
    secrets: { names: Object.keys(secrets), get: (name) => secrets[name] ?? refuse(), digest: (name) => `hmac of ${name}` },
    content: { write: refuse, read: refuse },
    programs: { run: refuse, start: refuse },
    probes: { http: refuse, tcp: refuse },
    outputs: { prepare: refuse, capture: refuse, isIntact: refuse, restore: refuse },
    environment: { matching: refuse },
    release: { id: refuse, complete: refuse },
    database: refuse,
    projectDirectory: '/project',
  }
  return {
    builder,
    registry,
    lines,
    context: (id, { fingerprint = 'f'.repeat(64), needs = {}, signal = new AbortController().signal } = {}) => ({
      id: id as TaskId,
      fingerprint: fingerprint as Fingerprint,
      scope: { project: 'shop', environment: 'prod', version },
      signal,
      needs: new Map(Object.entries(needs) as [TaskId, ActionResult][]),
      ports,
      log: (line) => lines.push(line),
      hold: refuse,
      guard: refuse,
    }),
  }
}
