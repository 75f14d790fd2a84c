import { z } from 'zod'
import type { CommandEntry, CommandTable } from '../../src/cli/command-table.ts'
import { type App, type CommandModule, type ExitCode, exitCodes, type GlobalOptions } from '../../src/contracts.ts'

/** One call of a sample command. */
export interface Call {
  readonly input: Readonly<Record<string, unknown>>
  readonly globals: GlobalOptions
}

export interface SampleCommands {
  readonly table: CommandTable
  /** Names of the modules that were loaded. */
  readonly loaded: string[]
  readonly calls: Call[]
}

const rollOut = {
  summary: 'bring an environment to the state of this checkout',
  feature: 'CLI_DEPLOY',
  arguments: z.strictObject({ target: z.array(z.string()).default([]).describe('what to bring there') }),
  options: z.strictObject({
    cache: z.boolean().default(true).describe('do not use the cache'),
    concurrency: z.number().int().min(1).default(8).describe('tasks at a time').meta({ alias: 'j' }),
    force: z.union([z.boolean(), z.string()]).optional().describe('run even what is fresh').meta({ value: 'glob' }),
    format: z.enum(['text', 'json']).default('text').describe('how to print it').meta({ env: 'STAGECRAFT_FORMAT' }),
    secretFlag: z.string().optional().describe('not for people').meta({ hidden: true }),
    services: z.array(z.string()).default([]).describe('only these services'),
    skipPush: z.boolean().default(false).describe('leave images here'),
    version: z.string().optional().describe('release under this version').meta({ value: '<tag>' }),
  }),
  examples: ['stagecraft deploy --env prod', 'stagecraft deploy --env prod --dry-run'],
}

/** A command table whose commands note what they were given. `run` replaces what `deploy` does. */
export function sampleCommands(run?: (call: Call, app: App) => Promise<ExitCode>): SampleCommands {
  const loaded: string[] = []
  const calls: Call[] = []
  const entry = (name: string, group: CommandEntry['group'], module: Omit<CommandModule, 'run'>): CommandEntry => ({
    summary: module.summary,
    group,
    load: async () => {
      loaded.push(name)
      return {
        ...module,
        run: async (input, globals, app) => {
          calls.push({ input, globals })
          return run === undefined ? exitCodes.done : run({ input, globals }, app)
        },
      }
    },
  })
  const plain = (summary: string) => ({ summary, feature: 'CLI_SAMPLE', options: z.strictObject({}) })
  const show = { ...plain('show one release'), arguments: z.strictObject({ id: z.string().describe('id of the release') }) }
  return {
    loaded,
    calls,
    table: {
      build: entry('build', 'deliver', plain('build the images of an environment')),
      deploy: entry('deploy', 'deliver', rollOut),
      init: entry('init', 'start', plain('write a manifest for this project')),
      plan: entry('plan', 'deliver', plain('say what a deploy would do')),
      'releases list': entry('releases list', 'look', plain('list releases, newest first')),
      'releases show': entry('releases show', 'look', show),
      version: entry('version', 'other', plain('print the version')),
    },
  }
}
