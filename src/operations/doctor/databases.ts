/** Do databases answer under the connection strings that migrations will use? They are only read. */
import { TaskFailure } from '../../../tasks/kind.ts'
import { openDatabase } from '../../session/databases.ts'
import { renderCount } from '../../ui/size.ts'
import type { Fleet } from '../fleet.ts'
import type { KnownSecrets } from '../known-secrets.ts'
import { type Check, Checks } from './check.ts'

export async function checkDatabases(section: string, fleet: Fleet, secrets: KnownSecrets): Promise<readonly Check[]> {
  const checks = new Checks(section)
  for (const { name, connectionEnv, service, via } of fleet.deployment.databases) {
    if (secrets.missing.includes(connectionEnv)) {
      checks.skip('database', `database ${name} was not asked, as ${connectionEnv} is not set`)
      continue
    }
    try {
      if (service !== undefined && via !== 'direct' && !(await runs(fleet, via.host, service))) {
        checks.skip('database', `database ${name} does not run yet: a deploy starts it first`)
        continue
      }
      const database = await openDatabase(name, fleet, secrets, fleet)
      try {
        const applied = await database.applied()
        checks.ok('database', `database ${name} answers, ${renderCount(applied.length, 'migration is', 'migrations are')} applied`)
      } finally {
        await database.close()
      }
    } catch (error) {
      if (!(error instanceof TaskFailure) || error.failure.reason === 'interrupted') throw error
      const { message, remedy } = error.failure
      checks.problem('database', `database ${name}: ${secrets.redact(message)}`, remedy === undefined ? undefined : secrets.redact(remedy))
    }
  }
  return checks.all
}

async function runs(fleet: Fleet, host: string, service: string): Promise<boolean> {
  const { containers } = await fleet.host(host).observe()
  return containers.some((container) => container.service === service && container.state === 'running')
}
