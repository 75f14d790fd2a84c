import { z } from 'zod'
import { defineImageProvider } from '../provider.ts'

/** https://encore.dev/docs/ts: `encore build docker` makes the image, without a Dockerfile. */
export const encoreTs = defineImageProvider({
  role: 'backend',
  id: 'encore-ts',
  summary: 'an Encore application, built by the `encore` command',
  config: z.strictObject({
    build: z
      .strictObject({
        workdir: z.string().min(1).default('.').describe('The folder with `encore.app`, relative to the manifest.'),
        image_name: z
          .string()
          .regex(/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/, 'expected lower-case letters, digits, `.`, `_` and `-`')
          .default('api')
          .describe('Last part of the name of the image.'),
        docker_tag_suffix: z
          .string()
          .regex(/^[A-Za-z0-9_.-]{0,40}$/, 'expected letters, digits, `.`, `_` and `-`')
          .default('')
          .describe('Added to every tag of the image.'),
      })
      .describe('How its image is built.')
      .prefault({}),
  }),
  recipe: ({ build }) => ({
    context: build.workdir,
    dockerfile: 'encore.app',
    args: {},
    labels: {},
    platforms: [],
    command: ['encore', 'build', 'docker'],
    makes: ['.encore', 'encore.gen'],
    imageName: build.image_name,
    ...(build.docker_tag_suffix !== '' && { tagSuffix: build.docker_tag_suffix }),
  }),
})
