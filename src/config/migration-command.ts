/** How migrations of another tool are run: what the manifest says, and what its engine knows. Pure. */
import { nearest } from '../../graph/nearest.ts'
import type { Location } from '../../graph/types.ts'
import type { DatabaseTarget } from '../contracts.ts'
import { commandOf } from '../pipelines/user-tasks.ts'
import type { MigrationProvider } from '../providers/migration/provider.ts'
import { problem, type Report } from './diagnostic.ts'
import { parseDuration } from './duration.ts'
import type { MigrationsConfig } from './schema/databases.ts'
import { listed } from './word-list.ts'

export interface CommandPlace {
  readonly database: string
  /** Hosts that one-off containers can be run on. */
  readonly hasContainers: boolean
  readonly via: DatabaseTarget['via']
  /** Names of services; undefined while the Compose file is not known. */
  readonly services: readonly string[] | undefined
  locate(...key: string[]): Location | undefined
}

const words = ['command', 'check', 'runner', 'on', 'env', 'timeout'] as const

/** Undefined for an engine that runs none, and when something is wrong with it. */
export function migrationCommand(
  engine: MigrationProvider,
  settings: MigrationsConfig,
  place: CommandPlace,
  report: Report,
): DatabaseTarget['command'] {
  const { database, hasContainers, via, services } = place
  const fail = (code: 'SC1071' | 'SC1072' | 'SC1073', message: string, key?: string, suggestion?: string) =>
    void report(
      problem(code, `database \`${database}\`: ${message}`, key === undefined ? place.locate() : place.locate(key), { suggestion }),
    )
  if (!engine.command) {
    for (const word of words)
      if (settings[word] !== undefined) fail('SC1072', `\`${word}\` is not for engine \`${engine.id}\`, which runs no program`, word)
    return undefined
  }
  const argv = settings.command === undefined ? engine.command.argv : commandOf(settings.command)
  const runner = settings.runner ?? (settings.on !== undefined || hasContainers ? 'container' : 'host')
  const isContainer = runner === 'container'
  if (argv === undefined) fail('SC1071', `engine \`${engine.id}\` needs \`command\`, what applies what is pending`)
  if (isContainer && !hasContainers)
    fail('SC1073', 'this environment has no hosts that run containers of ours: use `runner: host`', 'runner')
  else if (isContainer && settings.on === undefined)
    fail('SC1071', '`on` is required: the service whose image has the command; or say `runner: host`')
  if (isContainer && settings.check !== undefined)
    fail('SC1073', '`check` is run on this machine: with `runner: container`, a row in the database tells what was applied', 'check')
  if (!isContainer && settings.on !== undefined) fail('SC1073', '`on` is for `runner: container`', 'on')
  if (!isContainer && via !== 'direct')
    fail(
      'SC1073',
      `\`runner: host\` cannot reach it: it is reached through ${via.host}; use \`runner: container\`, or \`via: direct\``,
      'runner',
    )
  if (settings.on !== undefined && services && !services.includes(settings.on))
    fail('SC1073', `there is no service \`${settings.on}\` to run in, only ${listed(services)}`, 'on', nearest(settings.on, services))
  if (argv === undefined || (isContainer && settings.on === undefined)) return undefined
  const check = isContainer ? undefined : settings.check === undefined ? engine.command.check : commandOf(settings.check)
  return {
    argv,
    ...(check && { check }),
    env: settings.env ?? [],
    timeoutMs: Math.round((parseDuration(settings.timeout ?? '10m') ?? 0) * 1000),
    ...(isContainer && settings.on !== undefined && { on: settings.on }),
  }
}
