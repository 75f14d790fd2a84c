import { posix } from 'node:path'
import type { Location } from '../../graph/types.ts'
import type { ComposeFile } from './compose-file.ts'
import type { LoadedConfig } from './config.ts'
import type { Report } from './diagnostic.ts'
import type { Inventory } from './inventory.ts'
import type { EnvironmentConfig } from './schema/environments.ts'

/** Everything a service is resolved from, and where to say what is wrong. */
export interface Setting {
  readonly loaded: LoadedConfig
  readonly compose: ComposeFile
  readonly environmentName: string
  readonly environment: EnvironmentConfig
  readonly inventory: Inventory
  /** Plain variables, for values that must be known before Compose runs. */
  readonly variables: Readonly<Record<string, string>>
  readonly report: Report
  /** When services are handed to a swarm: the machines of the manifest, of which `inventory` has only the manager then. */
  readonly swarm?: Inventory
}

/** The line of the manifest that speaks of a service, else the Compose file's. */
export function serviceOrigin({ loaded, compose }: Pick<Setting, 'loaded' | 'compose'>, name: string): Location {
  if (Object.hasOwn(loaded.config.services, name)) return loaded.locateKey(['services', name])
  return compose.locateKey(['services', name])
}

/** Folder of the Compose file, project-relative: its relative paths start there. */
export function composeFolder({ loaded }: Pick<Setting, 'loaded'>): string {
  return posix.dirname(loaded.config.project.compose_file)
}
