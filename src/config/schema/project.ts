import { z } from 'zod'
import { name, pathInProject, transfer } from './words.ts'

/** Distribution reference grammar: a domain with an optional port, then lower-case path components. */
const registryReference = /^[A-Za-z0-9]+(?:[.-]+[A-Za-z0-9]+)*(?::[0-9]+)?(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*$/

export const project = z.strictObject({
  name: name.describe('Names the Compose project on hosts, its images and its directory.'),
  registry: z
    .string()
    .regex(registryReference, 'expected a registry reference without scheme or tag, such as `ghcr.io/acme/shop`')
    .meta({ examples: ['ghcr.io/acme/shop'] })
    .optional()
    .describe('Images are pushed to `<registry>/<service>`.'),
  transfer: transfer
    .optional()
    .describe('How images that are built here reach hosts; default `registry`. With `ssh` there need be no registry.'),
  compose_file: pathInProject
    .default('docker-compose.yml')
    .meta({ examples: ['deploy/compose.yml'] })
    .describe('The Compose file, relative to the manifest.'),
})
