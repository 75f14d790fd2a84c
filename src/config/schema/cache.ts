/** `cache`: what results may take up on this machine, and where machines share them. */
import { z } from 'zod'
import { parseDuration } from '../duration.ts'
import { remoteModes } from '../remote-address.ts'
import { parseSize } from '../size.ts'
import { withShortForms } from './words.ts'

const size = z
  .string()
  .refine((value) => (parseSize(value) ?? 0) >= 1e6, 'expected a size of at least 1MB, such as `500MB` or `2GiB`')
  .meta({ examples: ['2GiB'] })
const duration = (example: string) =>
  z
    .string()
    .refine((value) => (parseDuration(value) ?? 0) > 0, `expected a duration such as ${example}`)
    .meta({ examples: [example.replaceAll('`', '')] })
const shortWait = (example: string) =>
  duration(example).refine((value) => (parseDuration(value) ?? 0) <= 3600, 'expected a duration of at most an hour')

/** `cache.remote`: an address, or a map. */
const remote = withShortForms(
  z.preprocess(
    (value) => (typeof value === 'string' ? { url: value } : value),
    z.strictObject({
      // What it must look like is said by `remote-address.ts`, without showing it: people put passwords here.
      url: z
        .string()
        .meta({ examples: ['oci://ghcr.io/acme/cache'] })
        .describe('`https://…`, `oci://registry/repository`, `oci` for the registry of the project, or `s3://bucket/prefix`.'),
      mode: z.enum(remoteModes).optional().describe('Default: `read-write` where `CI` is set, `read` elsewhere.'),
      timeout: shortWait('`10s`').default('10s').describe('How long an answer may take. One that takes longer was the last of the run.'),
      max_wait: shortWait('`30s`')
        .default('30s')
        .describe('How long a run waits for look-ups in a row that find nothing, and at its end for uploads.'),
    }),
  ),
  [z.string()],
)

export const cache = z.strictObject({
  max_size: size.optional().describe('Of the cache on this machine: what was used longest ago goes first.'),
  max_age: duration('`30d`').optional().describe('Results that were not used for so long go.'),
  remote: remote.optional().describe('Where results are shared with other machines.'),
})
