/** Providers of a private network between hosts. */
import type { Provider, ProviderCall } from './provider.ts'

/** A host as its own connection reaches it: the provider does not dial. */
export interface NetworkHost {
  /** As the manifest calls it. */
  readonly name: string
  /** Runs a program there as an argument list, never through a shell of ours; what is on standard input is not seen in the list of processes. */
  run(
    argv: readonly string[],
    options: { readonly stdin?: string; readonly signal: AbortSignal },
  ): Promise<{ readonly exitCode: number; readonly stdout: string }>
}

export interface NetworkStatus {
  readonly installed: boolean
  readonly version?: string
  readonly joined: boolean
  readonly online: boolean
  /** Sorted. */
  readonly tags: readonly string[]
  /** Addresses in the network, sorted. */
  readonly addresses: readonly string[]
}

export interface NetworkProvider<C = unknown> extends Provider<C> {
  readonly role: 'network'
  /** Puts the software there. Idempotent: a host that has it is left alone. @throws TaskFailure */
  ensureInstalled(config: C, host: NetworkHost, call: ProviderCall): Promise<void>
  /** Lets the host into the network with exactly these tags, whatever it had. Idempotent. @throws TaskFailure */
  ensureJoined(config: C, host: NetworkHost, tags: readonly string[], call: ProviderCall): Promise<void>
  /** The name that others in the network find a host by. Pure: it needs no call before. */
  nodeName(config: C, host: string): string
  /** What is true now; changes nothing. @throws TaskFailure when the host cannot be asked. */
  status(config: C, host: NetworkHost, call: ProviderCall): Promise<NetworkStatus>
}
