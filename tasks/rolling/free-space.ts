/** A disk that fills during a pull takes the whole host down, databases first: so a pull is not begun without room. */
import { TaskFailure } from '../kind.ts'
import type { Host } from '../ports.ts'

export const defaultMinFreeBytes = 1024 ** 3

const timeoutMs = 20_000

/** What cannot be found out holds nothing up. @throws TaskFailure `refused` below the floor. */
export async function requireSpace(host: Host, minFreeBytes: number): Promise<void> {
  if (minFreeBytes === 0) return
  const info = await host.run({ argv: ['docker', 'info', '--format', '{{.DockerRootDir}}'], timeoutMs })
  const folder = info.stdout.trim()
  if (info.code !== 0 || !folder.startsWith('/')) return
  const free = freeBytes((await host.run({ argv: ['df', '-Pk', '--', folder], timeoutMs })).stdout)
  if (free === undefined || free >= minFreeBytes) return
  throw new TaskFailure({
    reason: 'refused',
    subject: host.name,
    message: `${host.name} has ${megabytes(free)} MB free in ${folder}, and an image is to be pulled: at least ${megabytes(minFreeBytes)} MB must be`,
    remedy: 'make room: `stagecraft prune` removes what no kept release needs; or set `rollout.min_free_space`',
  })
}

/** From `df -Pk` (POSIX): a heading, then device, size, used, available. */
export function freeBytes(text: string): number | undefined {
  const [, kilobytes] = /\s\d+\s+\d+\s+(-?\d+)\s+(?:\d+%|-)\s+\//.exec(text.split('\n').slice(1).join(' ')) ?? []
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6)
}
