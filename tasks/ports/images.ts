/** Where images come from and go to. */
import type { Command } from './host.ts'
import type { ImageShelf } from './transfer.ts'

export interface BuildRequest {
  /** Absolute paths. */
  readonly context: string
  readonly dockerfile: string
  readonly target?: string
  readonly args: Readonly<Record<string, string>>
  readonly platforms: readonly string[]
  /** Secret id → environment variable that carries it to the builder, or file. Values never on argv. */
  readonly secrets: readonly { readonly id: string; readonly value: string }[]
  readonly ssh: readonly string[]
  readonly additionalContexts: Readonly<Record<string, string>>
  readonly cacheFrom: readonly string[]
  readonly cacheTo?: readonly string[]
  /** Files and folders of the context that must not reach the image, relative to it. */
  readonly withheld: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  /** At least one of them stands for this content and no other. */
  readonly tags: readonly string[]
  readonly noCache: boolean
}

/** Docker buildx and the engine on this machine. */
export interface Builder extends ImageShelf {
  /** Builds and loads into this machine's engine. @returns the image id (`sha256:…`, the config digest). */
  build(request: BuildRequest, onLine: (line: string) => void, signal: AbortSignal): Promise<string>
  /** Runs a program that leaves an image called `reference` in this machine's engine. @returns the image id. */
  buildWith(command: Command, reference: string, onLine: (line: string) => void, signal: AbortSignal): Promise<string>
  /** Image id of a reference or id held by this machine's engine. */
  imageId(reference: string): Promise<string | undefined>
  tag(imageId: string, reference: string): Promise<void>
  /** @returns the manifest digest the registry gave. */
  push(reference: string, onLine: (line: string) => void, signal: AbortSignal): Promise<string>
}

export interface RegistryCredentials {
  readonly username: string
  readonly password: string
  readonly serveraddress: string
  /** In place of name and password, which are empty then. Spelled as in the Engine API's `X-Registry-Auth`. */
  readonly identitytoken?: string
}

export interface ImageManifest {
  readonly digest: string
  /** Digest of the image's configuration; an index, which names several images, has none. */
  readonly imageId?: string
  /** Of an index: platform (`linux/arm64`) → digest of that image's manifest. */
  readonly platforms?: Readonly<Record<string, string>>
}

/** An OCI distribution registry (https://github.com/opencontainers/distribution-spec). */
export interface Registry {
  /** The manifest behind a tag or digest, or undefined when the registry does not have it. Answers are kept for the run. */
  manifest(reference: string): Promise<ImageManifest | undefined>
  /** Writes an index of images that the repository holds, platform → digest, under a tag. @returns the index's digest. */
  publishIndex(reference: string, images: Readonly<Record<string, string>>): Promise<string>
  /** Drops what is remembered of a reference, after a push. */
  forget(reference: string): void
  /** What the user's Docker configuration holds for this reference's registry. */
  credentials(reference: string): Promise<RegistryCredentials | undefined>
}
