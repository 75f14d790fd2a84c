import { z } from 'zod'
import type { ImageRecipe } from './provider.ts'

/** The block of the `generic` providers: an image built from a Dockerfile. */
export const dockerfileBuild = z.strictObject({
  build: z
    .strictObject({
      dockerfile: z
        .string()
        .min(1)
        .default('Dockerfile')
        .meta({ examples: ['Dockerfile.api'] })
        .describe('The Dockerfile, relative to `context`.'),
      context: z
        .string()
        .min(1)
        .default('.')
        .meta({ examples: ['api'] })
        .describe('The folder that is sent to the builder, relative to the manifest.'),
      target: z
        .string()
        .min(1)
        .meta({ examples: ['runtime'] })
        .optional()
        .describe('Stage of the Dockerfile; default its last.'),
      args: z
        .record(z.string(), z.string())
        .default({})
        .meta({ examples: [{ NODE_ENV: 'production' }] })
        .describe('Build arguments. Not for secrets: they stay in the image.'),
      labels: z
        .record(z.string(), z.string())
        .default({})
        .meta({ examples: [{ 'com.example.team': 'shop' }] })
        .describe('Labels of the image.'),
      platform: z
        .string()
        .regex(/^[a-z0-9]+\/[a-z0-9]+(\/[a-z0-9]+)?$/, 'expected a platform such as `linux/amd64`')
        .meta({ examples: ['linux/amd64'] })
        .optional()
        .describe('What it is built for; default what the builder runs on.'),
    })
    .optional()
    .describe('How its image is built.'),
})

/** The recipe such a block describes. */
export function dockerfileRecipe({ build }: z.output<typeof dockerfileBuild>): ImageRecipe | undefined {
  if (!build) return undefined
  const { platform, ...recipe } = build
  return { ...recipe, platforms: platform === undefined ? [] : [platform] }
}
