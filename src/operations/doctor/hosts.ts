/** Asks every host of an environment whether it is ready for a deploy. */
import type { Failure } from '../../../graph/types.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import type { Host } from '../../../tasks/ports.ts'
import type { App, Deployment, HostAddress } from '../../contracts.ts'
import { unavailableEngine } from '../../hosts/engine-failure.ts'
import { localUser } from '../../hosts/local-user.ts'
import type { Fleet } from '../fleet.ts'
import { type Check, Checks } from './check.ts'
import { hostFacts } from './host-facts.ts'
import { judgeHost } from './judge-host.ts'

export async function checkHosts(fleet: Fleet, prefix: string, app: App): Promise<readonly Check[]> {
  const answers = await fleet.ask((host, address) => checkHost(fleet, host, address, `${prefix}${address.name}`, app))
  return answers.flatMap((answer) => {
    if (answer.ok) return answer.value
    // The connection, the host's key, the user's rights, the Engine: the failure says which.
    const checks = new Checks(`${prefix}${answer.name}`)
    checks.failure('connection', answer.failure)
    return checks.all
  })
}

async function checkHost(fleet: Fleet, host: Host, address: HostAddress, section: string, app: App): Promise<readonly Check[]> {
  const user = address.user ?? localUser(app.env)
  const checks = new Checks(section)
  const refusals = await refusalsOf(host, user)
  if (refusals.length > 0) {
    for (const failure of refusals) checks.failure('connection', failure)
    return checks.all
  }
  const facts = await hostFacts(host, () => app.now().getTime())
  checks.ok('connection', `reached over SSH${address.user === undefined ? '' : ` as ${user}`}, its key is known, and Docker may be used`)
  // Nothing but forwarding opens such a channel.
  if (fleet.stats(address.name)?.engineChannels === 0) {
    checks.warn(
      'forwarding',
      'sshd forwards no sockets: the slower `docker system dial-stdio` is used',
      'set `AllowStreamLocalForwarding yes` in its sshd_config',
    )
  }
  if (needsTunnel(fleet.deployment, address.name)) await checkTunnel(host, address, checks)
  const { deployment } = fleet
  return [...checks.all, ...judgeHost({ section, host: address.name, user, deployment, facts, builderArchitecture: process.arch })]
}

/**
 * Why the host, which answers, cannot be looked at: its folder and its Engine are asked together, and the first no would hide the other.
 * @throws TaskFailure when it does not answer.
 */
async function refusalsOf(host: Host, user: string): Promise<readonly Failure[]> {
  try {
    await host.observe()
    return []
  } catch (error) {
    if (!(error instanceof TaskFailure) || error.failure.reason !== 'refused') throw error
    // Who is not let in at all cannot run this either, and is told the same again.
    const exit = await host.run({ argv: ['docker', 'version', '--format', '{{.Server.APIVersion}}'], timeoutMs: 15_000 })
    const engine = exit.code === 0 ? [] : [unavailableEngine({ name: host.name, user, where: host.name }, exit)]
    return [...engine, ...(engine.some(({ remedy }) => remedy === error.failure.remedy) ? [] : [error.failure])]
  }
}

function needsTunnel({ databases }: Deployment, name: string): boolean {
  return databases.some(({ via }) => via !== 'direct' && via.host === name)
}

/** Whatever answers there, or does not: only a refusal to forward is told. */
async function checkTunnel(host: Host, { port = 22 }: HostAddress, checks: Checks): Promise<void> {
  try {
    const tunnel = await host.connect('127.0.0.1', port)
    tunnel.destroy()
    checks.ok('tunnel', 'databases can be reached through it')
  } catch (error) {
    if (error instanceof TaskFailure) throw error
    if (!/prohibited/i.test((error as Error).message)) return
    checks.problem('tunnel', 'sshd forwards no TCP, which its databases are reached by', 'set `AllowTcpForwarding yes` in its sshd_config')
  }
}
