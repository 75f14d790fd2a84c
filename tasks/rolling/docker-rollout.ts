/**
 * The driver `docker-rollout`: the Docker CLI plugin of that name on the host replaces the containers; what it does not look at, we do
 * before and after. Protocol: https://github.com/wowu/docker-rollout, `docker rollout -f FILE -p NAME -t SECONDS -w SECONDS SERVICE`.
 */
import { z } from 'zod'
import { TaskFailure } from '../kind.ts'
import type { Host } from '../ports.ts'
import { bringUp, cleanEnvironment, composeFile } from './compose.ts'
import { awaitListing, freshLook, refuseToLoseData, removeContainer, withoutUngated } from './containers.ts'
import { drift, isLive, type ServiceState, serviceState } from './decide.ts'
import { startAndAwait } from './gate.ts'
import { gateOptions, type Rolling } from './params.ts'
import { replace } from './replace.ts'
import { undo } from './undo.ts'

/** Beyond what it is told to wait, for its own inspections and for stopping. */
const spareMs = 120_000

/** Whether the plugin is there: asked once per host and run. */
const known = new WeakMap<Host, Promise<string | undefined>>()
const probeMs = 30_000

/** @throws TaskFailure when the plugin is absent, or left something else than was wanted: then what ran before runs again. */
export async function rollByPlugin(rolling: Rolling, before: ServiceState): Promise<void> {
  const { host, params, wanted } = rolling
  const home = await requirePlugin(host)
  if (!params.ownCode) await refuseToLoseData(rolling, before.outdated)
  // It counts only what runs, and starts again whatever it finds stopped.
  for (const container of [...before.retired, ...before.broken, ...before.adoptable]) await removeContainer(rolling, container)
  const serving = [...before.ready, ...before.outdated]
  try {
    if (before.outdated.length === 0) await bringUp(rolling)
    else await runPlugin(rolling, home)
    await gateAll(rolling)
  } catch (error) {
    const now = await freshLook(host)
    const fresh = now.filter(
      (one) => one.service === params.service && one.hash === wanted.hash && !serving.some(({ id }) => id === one.id),
    )
    const stopped = serving.filter(({ id }) => now.some((one) => one.id === id && !isLive(one)))
    await undo(rolling, { started: fresh.map(({ id }) => id), stopped, renamed: [], before: serving })
    throw error
  }
  // It keeps the number that ran, whatever the definition says.
  const after = await withoutUngated(rolling, serviceState(wanted, await freshLook(host)))
  if (drift(wanted, after) !== undefined) await replace(rolling, after)
  await awaitListing(rolling)
}

/** @returns HOME of the deploy user there. */
async function requirePlugin(host: Host): Promise<string> {
  const asked = known.get(host) ?? probe(host)
  known.set(host, asked)
  const home = await asked
  if (home !== undefined) return home
  throw new TaskFailure({
    reason: 'missing-output',
    subject: host.name,
    message: `rollout.driver is docker-rollout, and ${host.name} does not have that plugin: \`docker info\` there does not list it`,
    remedy: `install docker-rollout for the deploy user on ${host.name}, or use driver native`,
  })
}

/**
 * Docker lists the plugins it found. `docker rollout --version` would answer without the plugin too: with the version of Docker.
 * @throws TaskFailure when Docker does not answer.
 */
async function probe(host: Host): Promise<string | undefined> {
  const listed = await host.run({ argv: ['docker', 'info', '--format', '{{json .ClientInfo.Plugins}}'], timeoutMs: probeMs })
  if (listed.code !== 0) {
    const message = `\`docker info\` on ${host.name} ended with code ${listed.code}, so its plugins are not known`
    throw new TaskFailure({ reason: 'exit', subject: host.name, message, output: listed.stderr.split('\n').filter(Boolean).slice(-5) })
  }
  if (!pluginNames.parse(JSON.parse(listed.stdout)).includes('rollout')) return undefined
  return (await host.run({ argv: ['printenv', 'HOME'], timeoutMs: probeMs })).stdout.trim()
}

/** Docker says `null` where there is no plugin at all. A plugin that is broken is listed with `Err`. */
const pluginNames = z
  .array(z.object({ Name: z.string(), Err: z.string().optional() }))
  .nullable()
  .transform((plugins) => (plugins ?? []).filter(({ Err }) => !Err).map(({ Name }) => Name))

async function runPlugin(rolling: Rolling, home: string): Promise<void> {
  const { host, params, context } = rolling
  const limits = ['--timeout', String(params.timeoutSeconds), '--wait', String(params.minReadySeconds)]
  const words = ['rollout', '--file', composeFile(rolling), '--project-name', params.composeProject, ...limits, params.service]
  await context.guard()
  // Plugins are looked for below HOME; nothing else of the login shell's environment may reach the Compose file.
  const argv = [...cleanEnvironment, `HOME=${home}`, 'docker', ...words] as const
  const timeoutMs = (params.timeoutSeconds + params.minReadySeconds + params.stopGraceSeconds) * 1000 + spareMs
  const exit = await host.run({ argv, timeoutMs }, (line) => context.log(line))
  if (exit.code === 0) return
  throw new TaskFailure({
    reason: 'exit',
    subject: `${params.service} on ${host.name}`,
    message: `docker rollout of ${params.service} on ${host.name} ended with code ${exit.code}`,
    output: `${exit.stdout}\n${exit.stderr}`
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-20),
  })
}

/** It ends well without ever looking at a container that has no healthcheck. */
async function gateAll(rolling: Rolling): Promise<void> {
  const { host, wanted, params } = rolling
  const { ready, adoptable, broken, outdated } = serviceState(wanted, await freshLook(host))
  for (const container of [...broken, ...adoptable, ...ready]) await startAndAwait(host, container.id, gateOptions(rolling))
  if (ready.length + adoptable.length + broken.length > 0 && outdated.length === 0) return
  throw new TaskFailure({
    reason: 'unhealthy',
    subject: `${params.service} on ${host.name}`,
    message: `docker rollout said it was done, and ${params.service} on ${host.name} ${outdated.length > 0 ? 'still runs the old version' : 'does not run'}`,
  })
}
