/** Containers are made by Compose itself, on the host: only Compose implements all of Compose. */

import { faultPoint } from '../fault-point.ts'
import { TaskFailure } from '../kind.ts'
import type { Container, Host } from '../ports.ts'
import { freshLook } from './containers.ts'
import type { Rolling } from './params.ts'

/** Making a container is the host's own disk work; this long is a sick host. */
const composeTimeoutMs = 120_000

/** Makes `count` new containers, not started, beside whatever is there. @throws TaskFailure when Compose made others than that. */
export async function create(rolling: Rolling, count: number): Promise<readonly Container[]> {
  const { host, params, wanted, context } = rolling
  const before = (await host.observe()).containers.filter((container) => container.service === params.service)
  await context.guard()
  await compose(rolling, ['up', '--no-start', '--no-recreate', '--no-deps', '--scale', scale(params.service, before.length + count)])
  const known = new Set(before.map((container) => container.id))
  const made = (await freshLook(host)).filter(
    (container) => container.service === params.service && container.hash === wanted.hash && !known.has(container.id),
  )
  if (made.length === count) return made
  throw new TaskFailure({
    reason: 'missing-output',
    subject: `${params.service} on ${host.name}`,
    message: `docker compose on ${host.name} made ${made.length} new containers of ${params.service}, ${count} were wanted`,
    remedy: 'look at `docker compose ls` and `docker ps -a` on the host; another tool may use the same project name',
  })
}

/** Lets Compose replace and start what it finds changed. */
export async function bringUp(rolling: Rolling, flags: readonly string[] = []): Promise<void> {
  const { params, wanted, context } = rolling
  await context.guard()
  await compose(rolling, ['up', '--detach', '--no-deps', ...flags, '--scale', scale(params.service, wanted.replicas)])
}

function scale(service: string, count: number): string {
  return `${service}=${count}`
}

/** What the login shell of the host exports would win over the bundle's `.env`, so Compose gets none of it. */
export const cleanEnvironment = ['env', '-i', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin'] as const

/** Two Compose processes of one project would race for its networks and for container numbers. */
const composing = new WeakMap<Host, Promise<void>>()

function compose(rolling: Rolling, words: readonly string[]): Promise<void> {
  return inTurn(rolling.host, () => runCompose(rolling, words))
}

/** When no other Compose process that we started on the host is at work. */
export function inTurn<T>(host: Host, work: () => Promise<T>): Promise<T> {
  const turn = (composing.get(host) ?? Promise.resolve()).then(work)
  composing.set(
    host,
    turn.then(
      () => {},
      () => {},
    ),
  )
  return turn
}

/** The Compose file that containers are made from, on the host. */
export function composeFile({ params, bundle }: Pick<Rolling, 'params' | 'bundle'>): string {
  return `${params.directory}/bundles/${bundle}/docker-compose.yml`
}

async function runCompose(rolling: Rolling, words: readonly string[]): Promise<void> {
  const { host, params, context } = rolling
  const file = composeFile(rolling)
  const argv = ['docker', 'compose', '--project-name', params.composeProject, '--file', file, ...words, params.service]
  const exit = await host.run({ argv: [...cleanEnvironment, ...argv], timeoutMs: composeTimeoutMs }, (line) => {
    faultPoint('compose-running', context)
    context.log(line)
  })
  if (exit.code === 0) return
  const refusal = /Error response from daemon: (.*)/.exec(exit.stderr)?.[1]?.trim()
  throw new TaskFailure({
    reason: 'exit',
    subject: `${params.service} on ${host.name}`,
    message: `docker compose ${words[0]} of ${params.service} on ${host.name} ended with code ${exit.code}${refusal === undefined ? '' : `: ${refusal}`}`,
    output: `${exit.stdout}\n${exit.stderr}`
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-20),
    remedy: remedyOf(exit.stderr, rolling),
  })
}

function remedyOf(stderr: string, rolling: Rolling): string {
  const { host, params } = rolling
  if (stderr.includes('is not a docker command')) return `install Docker Compose v2 on ${host.name}`
  if (stderr.includes('no command specified'))
    return `say what ${params.service} is to run: \`CMD\` in its image, or \`command\` in the Compose file`
  return `run it by hand on ${host.name}: docker compose -f ${composeFile(rolling)} config`
}
