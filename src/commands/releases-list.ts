import { z } from 'zod'
import { type App, type ExitCode, exitCodes, type GlobalOptions } from '../contracts.ts'
import { byEnvironment, newestFirst, overallStatus, type Release } from '../releases/release.ts'
import { allReleases } from '../session/all-releases.ts'
import { shortVersion } from '../ui/short-version.ts'
import { renderTable } from '../ui/table.ts'

export const summary = 'list releases, newest first'
export const feature = 'CLI_RELEASES'
export const options = z.strictObject({
  format: z.enum(['text', 'json']).default('text').describe('form of the result'),
  limit: z.number().int().positive().optional().describe('show at most this many of the newest'),
  remote: z.boolean().default(false).describe('with --env: also what its primary host knows'),
  status: z.enum(['pending', 'running', 'completed', 'failed']).optional().describe('show only releases that came to this'),
})
export const examples = [
  'stagecraft releases list',
  'stagecraft releases list --env prod --limit 5',
  'stagecraft releases list --env prod --remote',
  'stagecraft releases list --status failed --format json',
]

/** Prints the history kept beside the manifest, which itself need not exist. */
export async function run(input: z.infer<typeof options>, globals: GlobalOptions, app: App): Promise<ExitCode> {
  const known = await allReleases(input.remote, globals, app)
  const environment = environmentFilter(globals, app)
  const wanted = known.releases
    .filter((release) => environment === undefined || release.environment === environment)
    .filter((release) => input.status === undefined || overallStatus(release) === input.status)
  const releases = byEnvironment(newestFirst(wanted).slice(0, input.limit))
  app.stdout.write(input.format === 'json' ? json(releases) : text(releases, environment))
  return exitCodes.done
}

/**
 * A variable that some shell exports must not hide releases without a word (CLI_RELEASES): only a typed `--env` counts. The
 * options do not say where a value is from, so one that equals the variable is taken to be the variable's.
 */
function environmentFilter(globals: GlobalOptions, app: App): string | undefined {
  return globals.env === app.env['STAGECRAFT_ENV'] ? undefined : globals.env
}

function json(releases: readonly Release[]): string {
  const rows = releases.map(({ owner: _, ...release }) => ({ ...release, status: overallStatus(release) }))
  return `${JSON.stringify({ releases: rows }, null, 2)}\n`
}

function text(releases: readonly Release[], environment: string | undefined): string {
  if (releases.length === 0) return environment === undefined ? 'no releases\n' : `no releases of ${environment}\n`
  const columns: readonly (readonly [heading: string, cell: (release: Release) => string])[] = [
    ['RELEASE ID', (release) => release.id],
    ...(environment === undefined ? [['ENVIRONMENT', (release: Release) => release.environment] as const] : []),
    ['VERSION', (release) => shortVersion(release.version)],
    ['TIMESTAMP', (release) => utcSeconds(release.timestamp)],
    ['STATUS', (release) => overallStatus(release)],
  ]
  return renderTable(
    columns.map(([heading]) => heading),
    releases.map((release) => columns.map(([, cell]) => cell(release))),
  )
}

/** `YYYY-MM-DD HH:MM:SS` in UTC; what is no time is shown as it is. */
function utcSeconds(timestamp: string): string {
  const time = new Date(timestamp)
  return Number.isNaN(time.getTime()) ? timestamp : time.toISOString().slice(0, 19).replace('T', ' ')
}
