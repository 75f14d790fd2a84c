import { z } from 'zod'
import { phases } from '../../graph/types.ts'
import { type App, type ExitCode, exitCodes, type GlobalOptions, InputError } from '../contracts.ts'
import { overallStatus, type Release } from '../releases/release.ts'
import { allReleases } from '../session/all-releases.ts'
import { printable } from '../ui/table.ts'

export const summary = 'show one release: its phases, images and what went wrong'
export const feature = 'CLI_RELEASES'
const positionals = z.strictObject({ id: z.string().describe('release id, as `releases list` prints it') })

export { positionals as arguments }
export const options = z.strictObject({
  format: z.enum(['text', 'json']).default('text').describe('form of the result'),
  remote: z.boolean().default(false).describe('with --env: also what its primary host knows'),
})
export const examples = ['stagecraft releases show rel-20260102-030405678', 'stagecraft releases show rel-20260102-030405678 --format json']

/** @throws InputError for an id that is not in the history. */
export async function run(
  input: z.infer<typeof positionals> & z.infer<typeof options>,
  globals: GlobalOptions,
  app: App,
): Promise<ExitCode> {
  const { releases, path } = await allReleases(input.remote, globals, app)
  const release = releases.find(({ id }) => id === input.id)
  if (!release) {
    const message = `there is no release \`${input.id}\``
    throw new InputError([{ code: 'SC5103', severity: 'error', message, notes: [{ message: `read ${path}` }] }])
  }
  const { owner: _, ...fields } = release
  app.stdout.write(
    input.format === 'json'
      ? `${JSON.stringify({ ...fields, status: overallStatus(release) }, null, 2)}\n`
      : text(release, globals.verbose),
  )
  return exitCodes.done
}

function text(release: Release, verbose: boolean): string {
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Release', release.id],
    ['Kind', release.kind],
    ['Environment', release.environment],
    ['Version', release.version],
    ['Commit', release.commit_sha || 'N/A'],
    ['Timestamp', release.timestamp],
    ['Status', statusText(release)],
    ['Partial', release.partial ? partText(release) : undefined],
    ['Previous', release.previous_id ?? 'N/A'],
    ['Rolled back from', release.rolled_back_from],
    ['Rolled back to', release.rollback_target],
    ['Reason', release.reason],
  ]
  const images = Object.entries(release.images ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return [
    ...pairs(
      facts.flatMap(([name, value]) => (value === undefined ? [] : [[`${name}:`, value] as const])),
      '',
    ),
    'Phases:',
    ...pairs(
      phases.map((phase) => [phase, phaseText(release, phase, verbose)] as const),
      '  ',
    ),
    ...(images.length > 0
      ? [
          'Images:',
          ...pairs(
            images.map(([service, { ref, digest }]) => [service, `${ref} ${digest}`] as const),
            '  ',
          ),
        ]
      : []),
    '',
  ].join('\n')
}

function statusText(release: Release): string {
  const { undone } = release
  return undone === undefined
    ? overallStatus(release)
    : `${overallStatus(release)}, ${undone === 'whole' ? 'and undone' : 'undone in part'}`
}

function partText({ unreachable = [] }: Release): string {
  return unreachable.length === 0 ? 'yes' : `without ${unreachable.join(', ')}, out of reach`
}

/** Status, why, and the error: its first line, or all of it when asked to be verbose. */
function phaseText(release: Release, phase: (typeof phases)[number], verbose: boolean): string {
  const detail = release.phase_details?.[phase]
  const why = detail?.reason ?? (detail?.cached ? 'cached' : undefined)
  const lines = detail?.error?.split('\n') ?? []
  const error = (verbose ? lines : lines.slice(0, 1)).map(printable).join('\n      ')
  return `${release.phases[phase]}${why === undefined ? '' : ` (${why})`}${error === '' ? '' : `: ${error}`}`
}

function pairs(rows: readonly (readonly [name: string, value: string])[], indent: string): string[] {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${indent}${name.padEnd(width)}  ${value}`)
}
