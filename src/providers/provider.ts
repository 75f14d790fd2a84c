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
  /** Relative to `context`. */
  readonly dockerfile: string
  readonly target?: string | undefined
  readonly args: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly platforms: readonly string[]
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
