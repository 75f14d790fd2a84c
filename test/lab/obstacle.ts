import { constants } from 'node:fs'
import { access, readFile } from 'node:fs/promises'
import { detectDistribution } from './packages.ts'

const sysAdmin = 21n
const netAdmin = 12n

/** Why no lab can run on this machine, as a sentence for its user; undefined when one can. */
export async function labObstacle(): Promise<string | undefined> {
  if (process.platform !== 'linux') return `the lab runs real Linux hosts in containers, and this machine runs ${process.platform}`
  if (process.getuid?.() !== 0) return 'the lab installs packages and starts a Docker engine, which needs root; run it as root (`sudo`)'
  if ((await detectDistribution()) === undefined)
    return 'the lab installs what it needs with apt, and this machine runs neither Debian nor Ubuntu'
  const engine = process.env['DOCKER_HOST'] ?? 'unix://'
  if (!engine.startsWith('unix://')) return `the lab needs a Docker engine on this machine, and DOCKER_HOST names another one: ${engine}`
  for (const [name, bit] of [
    ['SYS_ADMIN', sysAdmin],
    ['NET_ADMIN', netAdmin],
  ] as const) {
    if (!(await hasCapability(bit)))
      return `the lab needs the capability ${name}, and this machine (a container without privileges?) lacks it`
  }
  const isWritable = await access('/sys/fs/cgroup', constants.W_OK).then(
    () => true,
    () => false,
  )
  if (!isWritable) return 'the lab runs containers inside containers, which needs a writable /sys/fs/cgroup'
  return undefined
}

async function hasCapability(bit: bigint): Promise<boolean> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '')
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1]
  return effective !== undefined && (BigInt(`0x${effective}`) >> bit) % 2n === 1n
}
