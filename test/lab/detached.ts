import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface DetachedOptions {
  readonly uid?: number
  readonly gid?: number
}

interface Started {
  readonly pid: number
  /** From /proc: a pid alone may by now belong to a stranger. */
  readonly startTime: string
}

const recordFile = (dir: string, name: string) => join(dir, 'run', `${name}.json`)

/** Starts a program that outlives us, with its output in `<dir>/log/<name>.log`, and records its pid. */
export async function startDetached(
  dir: string,
  name: string,
  argv: readonly [string, ...string[]],
  options: DetachedOptions = {},
): Promise<void> {
  const [file, ...args] = argv
  await mkdir(join(dir, 'log'), { recursive: true })
  await mkdir(join(dir, 'run'), { recursive: true })
  const log = await open(join(dir, 'log', `${name}.log`), 'a')
  try {
    const child = spawn(file, args, { ...options, cwd: '/', detached: true, stdio: ['ignore', log.fd, log.fd] })
    await once(child, 'spawn')
    child.unref()
    const { pid } = child
    const startTime = pid === undefined ? undefined : await processStartTime(pid)
    if (pid === undefined || startTime === undefined) throw new Error(`\`${file}\` ended at once; see ${dir}/log/${name}.log`)
    await writeFile(recordFile(dir, name), JSON.stringify({ pid, startTime } satisfies Started))
  } finally {
    await log.close()
  }
}

/** The pid of a program that `startDetached` started, if it still runs. */
export async function detachedPid(dir: string, name: string): Promise<number | undefined> {
  const text = await readFile(recordFile(dir, name), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const started = JSON.parse(text) as Started
  return (await processStartTime(started.pid)) === started.startTime ? started.pid : undefined
}

/** Ends a program that `startDetached` started, waits for it, and insists after `patienceMs`. */
export async function stopDetached(dir: string, name: string, signal: NodeJS.Signals = 'SIGTERM', patienceMs = 10_000): Promise<void> {
  const pid = await detachedPid(dir, name)
  if (pid !== undefined) {
    process.kill(pid, signal)
    const deadline = Date.now() + patienceMs
    while ((await detachedPid(dir, name)) !== undefined) {
      if (Date.now() > deadline) process.kill(pid, 'SIGKILL')
      await sleep(50)
    }
  }
  await rm(recordFile(dir, name), { force: true })
}

async function processStartTime(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  // The command name, field 2, is in parentheses and may hold anything, so fields are counted from the last one on.
  const [state, ...fields] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? []
  return state === undefined || state === 'Z' ? undefined : fields[18]
}
