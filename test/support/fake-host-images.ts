/** Images in a host's engine, in memory: loads parts as the real one does, and refuses what lacks a layer. */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { TaskFailure } from '../../tasks/kind.ts'
import type { HostImages, ImagePart, ImageSpool, NamedImage, SpooledImage, SpoolRequest } from '../../tasks/ports.ts'
import { layersThere } from '../../tasks/transferring/steps.ts'

interface Held {
  readonly layers: readonly string[]
  readonly tags: Set<string>
}

export class FakeHostImages implements HostImages {
  /** By configuration digest. */
  readonly held = new Map<string, Held>()
  /** Layers that came with each load. */
  readonly loads: (readonly string[])[] = []
  readonly #record: (call: string) => void
  readonly #hostName: string

  constructor(hostName: string, record: (call: string) => void) {
    this.#hostName = hostName
    this.#record = record
  }

  /** Puts an image there, as a pull of somebody's would. */
  hold(digest: string, layers: readonly string[], ...tags: readonly string[]): void {
    this.held.set(digest, { layers, tags: new Set(tags) })
  }
  /** Every name, sorted. */
  names(): readonly string[] {
    return [...this.held.values()].flatMap(({ tags }) => [...tags]).sort()
  }

  async named(repository: string): Promise<readonly NamedImage[]> {
    this.#record(`images of ${repository}`)
    const ours = (tag: string) => tag.slice(0, tag.lastIndexOf(':')) === repository
    return [...this.held].filter(([, { tags }]) => [...tags].some(ours)).map(([id, { tags }]) => ({ id, tags: [...tags], digests: [] }))
  }
  async stacks(): Promise<readonly (readonly string[])[]> {
    this.#record('stacks')
    return [...this.held.values()].map(({ layers }) => layers)
  }
  async layers(reference: string): Promise<readonly string[] | undefined> {
    this.#record(`layers ${reference}`)
    return [...this.held.values()].find(({ tags }) => tags.has(reference))?.layers
  }
  async save(reference: string): Promise<Readable> {
    this.#record(`save ${reference}`)
    return Readable.from([])
  }
  async load({ config, layers, sent, names }: ImagePart): Promise<void> {
    this.#record(`load ${names[0]}`)
    const wanted = layers.map(({ diffId }) => diffId)
    const there = layersThere(
      wanted,
      [...this.held.values()].map((one) => one.layers),
    )
    const brought = sent.map(({ diffId }) => diffId)
    const lacking = wanted.slice(there).find((diffId) => !brought.includes(diffId))
    if (lacking !== undefined) {
      throw new TaskFailure({ reason: 'missing-output', subject: this.#hostName, message: `open ${lacking}: no such file or directory` })
    }
    this.loads.push(brought)
    const digest = digestOfConfig(config)
    this.#take(names)
    this.hold(digest, wanted, ...(this.held.get(digest)?.tags ?? []), ...names)
  }
  async tag(reference: string, name: string): Promise<void> {
    this.#record(`tag ${reference} ${name}`)
    const image = [...this.held.values()].find(({ tags }) => tags.has(reference))
    this.#take([name])
    image?.tags.add(name)
  }
  async untag(name: string): Promise<boolean> {
    this.#record(`untag ${name}`)
    this.#take([name])
    for (const [digest, { tags }] of [...this.held]) if (tags.size === 0) this.held.delete(digest)
    return true
  }

  #take(names: readonly string[]): void {
    for (const { tags } of this.held.values()) for (const name of names) tags.delete(name)
  }
}

/** Gives the configuration that has a digest, and layers of a size. */
export class FakeSpool implements ImageSpool {
  readonly requests: SpoolRequest[] = []
  readonly configs = new Map<string, Buffer>()
  packedBytes = 1_000_000

  /** A configuration with these layers. @returns its digest. */
  image(layers: readonly string[], comment = ''): string {
    const config = Buffer.from(
      JSON.stringify({ architecture: 'amd64', os: 'linux', comment, rootfs: { type: 'layers', diff_ids: layers } }),
    )
    this.configs.set(digestOfConfig(config), config)
    return digestOfConfig(config)
  }
  async take(request: SpoolRequest): Promise<SpooledImage> {
    this.requests.push(request)
    const config = this.configs.get(request.digest)
    if (config === undefined) throw new Error(`no test put ${request.digest} into the spool`)
    const { packedBytes } = this
    const layer = (diffId: string) => ({ diffId, bytes: 2 * packedBytes, packedBytes, open: () => Readable.from([]) })
    return {
      config,
      sizes: new Map(request.layers.map((diffId) => [diffId, 2 * packedBytes])),
      packed: new Map(request.wanted.map((diffId) => [diffId, layer(diffId)])),
    }
  }
}

function digestOfConfig(config: Uint8Array): string {
  return `sha256:${createHash('sha256').update(config).digest('hex')}`
}
