import type { HostPool } from './hosts.ts'

/** For commands of this machine: what connects to hosts need not be loaded. */
export const noHosts: HostPool = {
  host: noHost,
  lockable: noHost,
  operator: noHost,
  appendOnly: noHost,
  acts: noHost,
  journal: noHost,
  lock: noHost,
  lookAhead: noHost,
  stats: () => ({}),
  close: async () => {},
}

function noHost(name: string): never {
  throw new Error(`no host is called ${name}`)
}
