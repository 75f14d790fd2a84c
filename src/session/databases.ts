/** Opens the databases of an environment: from this machine, or through the SSH connection of the host they run on. */
import { TaskFailure } from '../../tasks/kind.ts'
import type { Database, Host, Secrets } from '../../tasks/ports.ts'
import type { DatabaseTarget } from '../contracts.ts'
import type { HostPool } from './hosts.ts'
import type { Project } from './open-project.ts'

/** @throws TaskFailure when it cannot be reached; nothing in it names the connection string. */
export async function openDatabase(
  name: string,
  { deployment }: Pick<Project, 'deployment'>,
  secrets: Secrets,
  hosts: Pick<HostPool, 'host'>,
): Promise<Database> {
  const target = deployment.databases.find((database) => database.name === name)
  if (!target) throw new Error(`no database is called ${name}`)
  const [{ openPostgres }, { version }] = await Promise.all([import('../databases/postgres.ts'), import('../cli/version.ts')])
  const { via } = target
  const tunnel = via === 'direct' ? {} : { connect: (to: { host: string; port: number }) => tunnelTo(target, hosts.host(via.host), to) }
  return openPostgres({
    connectionString: secrets.get(target.connectionEnv),
    variable: target.connectionEnv,
    name,
    project: deployment.project,
    environment: deployment.environment,
    ledgerTable: target.ledgerTable,
    toolVersion: version(),
    ...tunnel,
  })
}

/** A database in one of our containers is reached at that container's address: no port has to be published for it. */
async function tunnelTo(target: DatabaseTarget, host: Host, to: { host: string; port: number }) {
  if (target.service === undefined) return host.connect(to.host, to.port)
  const { containers } = await host.observe()
  const running = containers.find(
    ({ service, state, address }) => service === target.service && state === 'running' && address !== undefined,
  )
  if (running?.address !== undefined) return host.connect(running.address, to.port)
  throw new TaskFailure({
    reason: 'unreachable',
    subject: `database ${target.name}`,
    message: `no container of ${target.service} runs on ${host.name}`,
    remedy: `see why it stopped: docker logs of ${target.service} on ${host.name}`,
  })
}
