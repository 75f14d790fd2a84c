import type { GlobalOptions } from '../contracts.ts'
import type { Flag } from './flag.ts'

const shared = { hidden: false, value: '' } as const

/**
 * The flags every command has, before or after its name (CLI_GLOBAL_FLAGS). Plain data rather than a zod object, because
 * `--help` must not load zod. No command may declare one of these names or letters again.
 */
export const globalFlags: readonly Flag[] = [
  {
    ...shared,
    key: 'config',
    name: 'config',
    alias: 'c',
    shape: 'text',
    value: '<path>',
    env: 'STAGECRAFT_CONFIG',
    description: 'manifest to read',
    fallback: 'stagecraft.yml',
  },
  { ...shared, key: 'color', name: 'color', shape: 'boolean', description: 'color the output, or not with --no-color' },
  {
    ...shared,
    key: 'dryRun',
    name: 'dry-run',
    alias: 'n',
    shape: 'boolean',
    env: 'STAGECRAFT_DRY_RUN',
    description: 'say what would be done and touch nothing',
  },
  {
    ...shared,
    key: 'env',
    name: 'env',
    alias: 'e',
    shape: 'text',
    value: '<name>',
    env: 'STAGECRAFT_ENV',
    description: 'environment to act on',
  },
  { ...shared, key: 'quiet', name: 'quiet', alias: 'q', shape: 'boolean', description: 'say nothing but errors' },
  {
    ...shared,
    key: 'verbose',
    name: 'verbose',
    alias: 'v',
    shape: 'boolean',
    env: 'STAGECRAFT_VERBOSE',
    description: 'show every line of output and why tasks are skipped',
  },
]

/** Turns checked flag values into what commands get. A `--quiet` typed by hand outranks a verbose environment. */
export function globalOptionsOf(values: Readonly<Record<string, unknown>>, typed: ReadonlySet<string>): GlobalOptions {
  const { config, env, color } = values
  const quiet = values['quiet'] === true
  return {
    config: typeof config === 'string' ? config : 'stagecraft.yml',
    verbose: values['verbose'] === true && !(quiet && !typed.has('verbose')),
    quiet,
    dryRun: values['dryRun'] === true,
    ...(typeof env === 'string' ? { env } : {}),
    ...(typeof color === 'boolean' ? { color } : {}),
  }
}
