/**
 * What a provider is to the manifest: an id and the schema of its block. Those of images, proxies and migrations only describe, and tasks act on what they
 * describe; those that deal with somebody else's service ({@link ProviderCall}) act through what they are handed. What every provider keeps to is in
 * `test/support/conformance`.
 */
import type { z } from 'zod'

export type ProviderRole = 'backend' | 'ci' | 'cloud' | 'edge' | 'frontend' | 'migration' | 'network' | 'secrets'

/** What an operation that acts is handed: it reads no environment, prints nothing and starts nothing by itself. */
export interface ProviderCall {
  /** Aborted: the operation ends soon, and rejects with the signal's reason. */
  readonly signal: AbortSignal
  /** Variables of this machine, for the tokens whose names are in the block. Values are never logged, nor part of a result. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** A line for a person. */
  log(line: string): void
}

/** One entry of a registry: an id, and the schema of the block that configures it. */
export interface Provider<C = unknown> {
  readonly role: ProviderRole
  readonly id: string
  readonly summary: string
  readonly config: z.ZodType<C>
}

/** How an image is made, as a provider's block tells it; paths are relative to the manifest. */
export interface ImageRecipe {
  readonly context: string
  /** Relative to `context`. With `command`, the file that says that it is a project of that program's. */
  readonly dockerfile: string
  readonly target?: string | undefined
  readonly args: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly platforms: readonly string[]
  /** A program that makes the image in place of Docker, in `context`; the reference it is to have comes last. */
  readonly command?: readonly [string, ...string[]]
  /** What the program makes in the context as it goes, relative to it: no input. */
  readonly makes?: readonly string[]
  /** Last part of the image's name; default the service. */
  readonly imageName?: string
  /** Added to every tag. */
  readonly tagSuffix?: string
}

/**
 * Builds the image of a service that says `build: backend` or `build: frontend`. Pure: the task `build` builds what is described, tags it and tells
 * its digest; `push` pushes it.
 */
export interface ImageProvider<C = unknown> extends Provider<C> {
  readonly role: 'backend' | 'frontend'
  /** The recipe of a checked block, or undefined when the block says nothing about building. */
  recipe(config: C): ImageRecipe | undefined
}

/** Keeps the type of a provider's block while it is written, and forgets it for the registry. */
export function defineImageProvider<C>(provider: ImageProvider<C>): ImageProvider {
  return provider as unknown as ImageProvider
}
