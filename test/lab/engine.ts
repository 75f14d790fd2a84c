import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { startDetached, stopDetached } from './detached.ts'
import type { Layout } from './layout.ts'

/** Runs the `docker` client against this machine's engine and returns what it printed. */
export async function docker(args: readonly string[]): Promise<string> {
  const { stdout } = await execa('docker', args, { stdin: 'ignore' })
  return stdout
}

/** Whether an engine answers at DOCKER_HOST or at the usual socket. */
export async function engineAnswers(): Promise<boolean> {
  const { exitCode, stdout } = await execa('docker', ['version', '--format', '{{.Server.Version}}'], { reject: false, stdin: 'ignore' })
  return exitCode === 0 && stdout !== ''
}

/** Starts an engine of our own if none answers, and tells whether it had to. It is left running by `down`, as other work may use it by then. */
export async function startEngine(layout: Layout): Promise<boolean> {
  if (await engineAnswers()) return false
  await startDetached(layout.dir, 'dockerd', ['dockerd'])
  await waitFor(`the Docker engine (see ${layout.dir}/log/dockerd.log)`, 60_000, engineAnswers)
  return true
}

/** Stops the engine if the lab started it and nothing runs on it. */
export async function stopEngine(layout: Layout): Promise<void> {
  if ((await engineAnswers()) && (await docker(['ps', '--quiet'])) !== '') return
  await stopDetached(layout.dir, 'dockerd', 'SIGTERM', 30_000)
}

/** The lab's bridge. Its gateway address belongs to this machine, and the registry and the database listen there. */
export async function openNetwork({ dir, network }: Layout): Promise<void> {
  if (await networkExists(network.name)) return
  const label = `${ownerLabel}=${dir}`
  await docker(['network', 'create', '--label', label, '--subnet', network.subnet, '--gateway', network.gateway, network.name])
}

/** The folder that keeps the keys and records of the lab that is here, when it is another than ours: there is one lab on a machine. */
export async function foreignOwner({ dir, network }: Layout): Promise<string | undefined> {
  if (!(await networkExists(network.name))) return undefined
  const owner = await docker(['network', 'inspect', '--format', `{{index .Labels "${ownerLabel}"}}`, network.name])
  return owner === dir ? undefined : owner
}

const ownerLabel = 'stagecraft.lab.dir'

export async function removeNetwork({ network }: Layout): Promise<void> {
  if (await networkExists(network.name)) await docker(['network', 'rm', network.name])
}

export async function imageExists(ref: string): Promise<boolean> {
  return (await docker(['image', 'ls', '--quiet', ref])) !== ''
}

/** Asks again and again until the answer is yes. */
export async function waitFor(subject: string, timeoutMs: number, isReady: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await isReady())) {
    if (Date.now() > deadline) throw new Error(`${subject} was not ready after ${timeoutMs / 1000} s`)
    await sleep(200)
  }
}

async function networkExists(name: string): Promise<boolean> {
  return (await docker(['network', 'ls', '--quiet', '--filter', `name=^${name}$`])) !== ''
}
