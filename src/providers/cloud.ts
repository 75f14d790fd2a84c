/** Providers of machines. */
import type { Provider, ProviderCall } from './provider.ts'

/** A machine as it is wanted. */
export interface MachineSpec {
  readonly name: string
  readonly role: string
  readonly size: string
  readonly region: string
}

/** A machine that is there. */
export interface Machine extends MachineSpec {
  /** The cloud's own. */
  readonly id: string
  readonly publicAddress?: string
  readonly privateAddress?: string
  readonly tags: readonly string[]
}

/** What would make the machines what the block says, each list sorted by name. */
export interface CloudPlan {
  readonly toCreate: readonly MachineSpec[]
  readonly toDelete: readonly MachineSpec[]
}

export interface CloudProvider<C = unknown> extends Provider<C> {
  readonly role: 'cloud'
  /** Reads only. Names only machines of this environment: what it did not make, it never counts as its own. @throws TaskFailure */
  plan(config: C, environment: string, call: ProviderCall): Promise<CloudPlan>
  /** Creates, then deletes, by name, and is done when the machines are there. Idempotent: applied twice, the second changes nothing. @throws TaskFailure */
  apply(config: C, environment: string, plan: CloudPlan, call: ProviderCall): Promise<void>
  /** The machines of the environment, sorted by id. Reads only. @throws TaskFailure */
  machines(config: C, environment: string, call: ProviderCall): Promise<readonly Machine[]>
}
