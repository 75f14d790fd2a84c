/**
 * The hosts an operation is about, opened. An operation looks at hosts as they are: it needs no tasks, takes no lock and, unless it is its
 * purpose, writes nothing.
 *
 *     await withFleet(input, globals, app, async (fleet) => {
 *       const answers = await fleet.ask((host) => host.observe())
 *       …
 *       return exitCodeOf(answers)
 *     })
 */
import type { Failure } from '../../graph/types.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import type { Host } from '../../tasks/ports.ts'
import { type App, type Deployment, type ExitCode, exitCodes, type GlobalOptions, type HostAddress, InputError } from '../contracts.ts'
import type { HostOperator } from '../hosts/operator.ts'
import { checkedValue } from '../session/checked-value.ts'
import type { LockableHost } from '../session/environment-lock.ts'
import { type HostPool, hostPool } from '../session/hosts.ts'
import { type OpenDeployment, openDeployment } from '../session/open-deployment.ts'
import { type Selected, type Selection, select } from './selection.ts'
import { servicesAsContainers } from './swarm-view.ts'

/** What one host answered, or why it did not. */
export type Answer<T> =
  | { readonly name: string; readonly ok: true; readonly value: T }
  | { readonly name: string; readonly ok: false; readonly failure: Failure }

export interface Fleet extends Selected {
  readonly opened: OpenDeployment
  readonly deployment: Deployment
  /** Is this service among those selected? */
  wants(service: string): boolean
  host(name: string): Host
  /** What only operations ask of a host. */
  operator(name: string): HostOperator
  /** For the environment's lock. */
  lockable(name: string): LockableHost
  /** The environment's lock on a host, selected or not. */
  lock(name: string): ReturnType<HostPool['lock']>
  /** Files of a host that only grow. */
  appendOnly(name: string): ReturnType<HostPool['appendOnly']>
  /** Where a host is told what is done without the environment's lock. */
  acts(name: string): ReturnType<HostPool['acts']>
  /** What was spent on the connection to a host so far; undefined when it was not asked anything. */
  stats(name: string): ReturnType<HostPool['stats']>[string] | undefined
  /**
   * Asks every selected host at once, or those of them that are named. Answers are sorted by host.
   * @throws what is no failure of a host, and the interrupt.
   */
  ask<T>(work: (host: Host, address: HostAddress) => Promise<T>, names?: readonly string[]): Promise<readonly Answer<T>[]>
  /** Drops the connection to a host that was lost or never made, so that the next question dials again. */
  redial(name: string): Promise<void>
  close(): Promise<void>
}

export interface FleetOptions {
  /** Leave out hosts that no selected service is to run on. */
  readonly placed?: boolean
  /** What is said to who asks it of a swarm; undefined: it can be had there. */
  readonly notOnSwarm?: string
  /** On a swarm, services are seen as containers of the manager. */
  readonly servicesAsContainers?: boolean
  /** For tests: hosts that are none. */
  readonly openHosts?: (deployment: Deployment, directory: string, app: App) => HostPool
}

/** Connects to nobody yet. @throws InputError for the manifest, the environment or the selection. */
export async function openFleet(
  selection: Selection,
  globals: GlobalOptions,
  app: App,
  { placed = false, notOnSwarm, servicesAsContainers: isView = false, openHosts = hostPool }: FleetOptions = {},
): Promise<Fleet> {
  const opened = await openDeployment(globals, app)
  const { deployment, directory } = opened
  if (deployment.swarm && notOnSwarm !== undefined) throw swarmProblem(deployment, notOnSwarm)
  const selected = checkedValue(select(deployment, selection, placed))
  const pools = new Map<string, HostPool>()
  const pool = (name: string) => {
    const made = pools.get(name) ?? openHosts(deployment, directory, app)
    pools.set(name, made)
    return made
  }
  const host = (name: string) => {
    const found = pool(name).host(name)
    return deployment.swarm && isView ? servicesAsContainers(found) : found
  }
  return {
    ...selected,
    opened,
    deployment,
    wants: (service) => selected.services === undefined || selected.services.includes(service),
    host,
    operator: (name) => pool(name).operator(name),
    lockable: (name) => pool(name).lockable(name),
    lock: (name) => pool(name).lock(name),
    appendOnly: (name) => pool(name).appendOnly(name),
    acts: (name) => pool(name).acts(name),
    stats: (name) => pools.get(name)?.stats()[name],
    ask(work, names) {
      const asked = selected.hosts.filter(({ name }) => names === undefined || names.includes(name))
      return Promise.all(asked.map((address) => answer(address, () => work(host(address.name), address), app.signal)))
    },
    async redial(name) {
      const old = pools.get(name)
      pools.delete(name)
      await old?.close()
    },
    async close() {
      await Promise.all([...pools.values()].map((open) => open.close()))
    },
  }
}

function swarmProblem({ environment }: Deployment, instead: string): InputError {
  const message = `\`${environment}\` is a swarm, whose containers are the swarm's own: ${instead}`
  return new InputError([{ code: 'SC1055', severity: 'error', message }])
}

/** Opens a fleet for one piece of work, and closes it whatever comes of it. */
export async function withFleet<T>(
  selection: Selection,
  globals: GlobalOptions,
  app: App,
  work: (fleet: Fleet) => Promise<T>,
  options: FleetOptions = {},
): Promise<T> {
  const fleet = await openFleet(selection, globals, app, options)
  try {
    return await work(fleet)
  } finally {
    await fleet.close()
  }
}

/** 0 when every host answered, 10 when some did, 2 when none did. */
export function exitCodeOf(answers: readonly Answer<unknown>[]): ExitCode {
  const failed = answers.filter(({ ok }) => !ok).length
  if (failed === 0) return exitCodes.done
  return failed === answers.length ? exitCodes.world : exitCodes.partial
}

async function answer<T>({ name }: HostAddress, work: () => Promise<T>, signal: AbortSignal): Promise<Answer<T>> {
  try {
    return { name, ok: true, value: await work() }
  } catch (error) {
    if (signal.aborted || !(error instanceof TaskFailure) || error.failure.reason === 'bug') throw error
    return { name, ok: false, failure: error.failure }
  }
}
