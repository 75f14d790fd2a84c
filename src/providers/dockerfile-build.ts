import { z } from 'zod'
import type { ImageRecipe } from './provider.ts'

/** The block of the `generic` providers: an image built from a Dockerfile. */
export const dockerfileBuild = z.strictObject({
  build: z
    .strictObject({
      dockerfile: z.string().min(1).default('Dockerfile').describe('Relative to `context`.'),
      context: z.string().min(1).default('.').describe('Relative to the manifest.'),
      target: z.string().min(1).optional(),
      args: z.record(z.string(), z.string()).default({}),
      labels: z.record(z.string(), z.string()).default({}),
      platform: z
        .string()
        .regex(/^[a-z0-9]+\/[a-z0-9]+(\/[a-z0-9]+)?$/, 'expected a platform such as `linux/amd64`')
        .optional(),
    })
    .optional(),
})

/** The recipe such a block describes. */
export function dockerfileRecipe({ build }: z.output<typeof dockerfileBuild>): ImageRecipe | undefined {
  if (!build) return undefined
  const { platform, ...recipe } = build
  return { ...recipe, platforms: platform === undefined ? [] : [platform] }
}
