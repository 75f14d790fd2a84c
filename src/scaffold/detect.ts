/** What a project looks like, guessed from a listing. Pure. */
import type { Json } from '../../graph/types.ts'
import type { ComposeService } from '../config/compose-file.ts'
import { originUrl, registryOf } from './git-remote.ts'
import { contextOf, type Listing } from './listing.ts'
import { type SuggestedTask, suggestTasks } from './package-scripts.ts'

/** A value, and what it was guessed from; without `from` the user said so. */
export interface Choice {
  readonly value: string
  readonly from?: string
}

export interface FoundService {
  readonly name: string
  /** `built from ./api`, `postgres:17, a database`. */
  readonly what: string
  readonly isBuilt: boolean
  readonly runs?: 'postgres' | 'database' | 'cache'
}

export interface FoundDatabase {
  readonly connectionEnv: Choice
  /** The Compose service it runs in. */
  readonly service?: string
  readonly migrations: Choice
}

export interface Detected {
  readonly name: Choice
  readonly registry?: Choice
  /** Sorted by name. */
  readonly services: readonly FoundService[]
  readonly database?: FoundDatabase
  /** What its `package.json` can do. */
  readonly tasks: readonly SuggestedTask[]
  /** Names of dotenv files, sorted. */
  readonly envFiles: readonly string[]
  /** What the user should know, each a sentence. */
  readonly hints: readonly string[]
}

const runs: Readonly<Record<string, FoundService['runs']>> = {
  postgres: 'postgres',
  postgis: 'postgres',
  pgvector: 'postgres',
  timescaledb: 'postgres',
  'timescaledb-ha': 'postgres',
  mysql: 'database',
  mariadb: 'database',
  mongo: 'database',
  redis: 'cache',
  valkey: 'cache',
  memcached: 'cache',
}

/** A name for a project: what Compose, image names and folders on hosts all allow. */
export function slug(text: string): string {
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  return plain.replace(/[^a-z0-9_-]+/g, '-').replace(/^[-_]+|[-_]+$/g, '') || 'app'
}

export function detect(listing: Listing): Detected {
  const services = (listing.compose?.services ?? []).map(describe)
  const origin = listing.gitConfig === undefined ? undefined : originUrl(listing.gitConfig)
  const registry = origin === undefined ? undefined : registryOf(origin)
  const { database, hints } = findDatabase(listing, services)
  const ignoreHints = listing.withoutIgnoreFile.map(
    (folder) =>
      `\`${shown(folder)}\` has no \`.dockerignore\`: every file in it, even in \`.git\` or \`node_modules\`, counts as changed source`,
  )
  return {
    name: { value: slug(listing.folder), from: "the folder's name" },
    ...(registry !== undefined && { registry: { value: registry, from: 'the git remote `origin`' } }),
    services,
    ...(database && { database }),
    tasks: listing.packageFile ? suggestTasks(listing.packageFile, listing.names) : [],
    envFiles: listing.names.filter((name) => /^\.env(\.|$)/.test(name) && !/\.(example|sample|template|dist)$/.test(name)),
    hints: [...hints, ...ignoreHints],
  }
}

function describe(service: ComposeService): FoundService {
  const { name, definition } = service
  const isBuilt = definition['build'] !== undefined
  const image = typeof definition['image'] === 'string' ? definition['image'] : ''
  const program = isBuilt ? undefined : runs[programOf(image)]
  const [context] = contextOf(service)
  const built = context === undefined ? 'built' : `built from ${shown(context)}`
  const label = { postgres: ', a database', database: ', a database', cache: ', a cache' } as const
  return { name, what: isBuilt ? built : `${image}${program ? label[program] : ''}`, isBuilt, ...(program && { runs: program }) }
}

/** `ghcr.io/acme/postgis:16@sha256:…` → `postgis`; of `${IMAGE:-postgres}` the default. */
function programOf(image: string): string {
  const name = /^\$\{\w+:?-([^}]*)\}/.exec(image)?.[1] ?? image
  return name.split('@')[0]?.split('/').at(-1)?.split(':')[0] ?? ''
}

function findDatabase(
  listing: Listing,
  services: readonly FoundService[],
): { readonly database?: FoundDatabase; readonly hints: readonly string[] } {
  const folders = Object.entries(listing.migrations)
  // Files that undo would be applied like any other.
  const [folder] = folders.find(([, files]) => !files.some((file) => /[._-](down|rollback|undo)\.sql$/i.test(file))) ?? []
  const postgres = services.find((service) => service.runs === 'postgres')
  if (folder === undefined) {
    const undoing = folders.map(
      ([path]) => `\`${path}\` was left out: it has files that undo migrations, and \`raw\` applies every \`.sql\` file`,
    )
    return { hints: undoing }
  }
  if (!postgres && services.some((service) => service.runs === 'database')) {
    return { hints: [`\`${folder}\` was left out: the engine \`raw\` speaks to PostgreSQL only`] }
  }
  const connectionEnv = connectionVariable(listing.compose?.services ?? [])
  return {
    database: {
      connectionEnv: connectionEnv ?? { value: 'DATABASE_URL', from: 'custom' },
      ...(postgres && { service: postgres.name }),
      migrations: { value: folder, from: 'its .sql files' },
    },
    hints: [],
  }
}

/** A variable of some service that holds a PostgreSQL address, or is called as if it did. */
function connectionVariable(services: readonly ComposeService[]): Choice | undefined {
  const named = services.flatMap(({ name, definition }) =>
    environmentOf(definition['environment']).map((variable) => ({ ...variable, service: name })),
  )
  const found =
    named.find(({ value }) => /^postgres(ql)?:\/\//.test(value)) ??
    named.find(({ key }) => /^(DATABASE|POSTGRES(QL)?|PG|DB)_(URL|URI|DSN)$/.test(key))
  return found && /^[A-Z_][A-Z0-9_]*$/.test(found.key) ? { value: found.key, from: `the environment of ${found.service}` } : undefined
}

function environmentOf(environment: Json | undefined): readonly { readonly key: string; readonly value: string }[] {
  if (typeof environment !== 'object' || environment === null || Array.isArray(environment)) return []
  return Object.entries(environment).map(([key, value]) => ({ key, value: typeof value === 'string' ? value : '' }))
}

function shown(folder: string): string {
  return folder === '.' ? '.' : `./${folder}`
}
