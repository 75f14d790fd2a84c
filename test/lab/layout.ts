import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** Where the lab keeps its files, and which addresses it uses. One machine has one lab: the addresses are fixed. */
export interface Layout {
  readonly dir: string
  readonly identityFile: string
  readonly knownHostsFile: string
  readonly certificates: string
  readonly dockerConfigDir: string
  /** Outside `dir`, which may lie in a home folder that the user `postgres` cannot enter. */
  readonly postgresDir: string
  readonly network: { readonly name: string; readonly subnet: string; readonly gateway: string }
  readonly registry: { readonly address: string; readonly port: number }
  readonly postgresPort: number
  /** Number of the first host that an opener gets: those who work side by side have hosts of their own. */
  readonly firstHost: number
}

const gateway = '10.87.77.1'
const registryPort = 5443

/** The lab's folder and addresses, as the environment asks for them now. */
export function labLayout(): Layout {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  const dir = resolve(process.env['STAGECRAFT_LAB_DIR'] ?? join(cache, 'stagecraft-lab'))
  return {
    dir,
    identityFile: join(dir, 'ssh', 'id_ed25519'),
    knownHostsFile: join(dir, 'ssh', 'known_hosts'),
    certificates: join(dir, 'certificates'),
    dockerConfigDir: join(dir, 'docker-config'),
    postgresDir: '/var/lib/stagecraft-lab/postgres',
    network: { name: 'stagecraft-lab', subnet: '10.87.77.0/24', gateway },
    registry: { address: `${gateway}:${registryPort}`, port: registryPort },
    postgresPort: 15432,
    firstHost: Number(process.env['STAGECRAFT_LAB_FIRST_HOST'] ?? 1),
  }
}

/** The address of the n-th host, counted from 1. */
export function hostAddress(index: number): string {
  return `10.87.77.${10 + index}`
}

/** Hosts are numbered within the subnet's last byte. */
export const maxHosts = 200
