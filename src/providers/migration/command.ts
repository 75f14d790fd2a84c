/** Tools of others that apply their own migrations. */
import { z } from 'zod'
import type { MigrationProvider } from './provider.ts'

const config = z.strictObject({})
/** What the project itself has installed, and nothing that would be fetched on the way. */
const installed = ['npx', '--no-install'] as const

export const command: MigrationProvider = {
  ...{ role: 'migration', id: 'command', config, command: {} },
  summary: 'a command of yours that applies what is pending',
}

/** https://orm.drizzle.team/docs/drizzle-kit-migrate */
export const drizzle: MigrationProvider = {
  ...{ role: 'migration', id: 'drizzle', config },
  summary: 'drizzle-kit migrate',
  command: { argv: [...installed, 'drizzle-kit', 'migrate'], path: 'drizzle' },
}

/** https://knexjs.org/guide/migrations.html */
export const knex: MigrationProvider = {
  ...{ role: 'migration', id: 'knex', config },
  summary: 'knex migrate:latest',
  command: { argv: [...installed, 'knex', 'migrate:latest'], path: 'migrations' },
}

/** https://www.prisma.io/docs/orm/reference/prisma-cli-reference#migrate-deploy */
export const prisma: MigrationProvider = {
  ...{ role: 'migration', id: 'prisma', config },
  summary: 'prisma migrate deploy',
  command: {
    argv: [...installed, 'prisma', 'migrate', 'deploy'],
    check: [...installed, 'prisma', 'migrate', 'status'],
    path: 'prisma/migrations',
  },
}
