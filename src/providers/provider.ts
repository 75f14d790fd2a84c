/**
 * What a provider is to the manifest. `providers/` is pure: a provider describes, it does not act.
 */
import type { z } from 'zod'

export type ProviderRole = 'backend' | 'edge' | 'frontend' | 'migration'

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

/** Builds the image of a service that says `build: backend` or `build: frontend`. */
export interface ImageProvider<C = unknown> extends Provider<C> {
  readonly role: 'backend' | 'frontend'
  /** The recipe of a checked block, or undefined when the block says nothing about building. */
  recipe(config: C): ImageRecipe | undefined
}

/** Keeps the type of a provider's block while it is written, and forgets it for the registry. */
export function defineImageProvider<C>(provider: ImageProvider<C>): ImageProvider {
  return provider as unknown as ImageProvider
}
