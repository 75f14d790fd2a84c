/** A host's Docker Engine through dockerode (https://docs.docker.com/reference/api/engine/), over the host's SSH connection. */
import type { IncomingMessage } from 'node:http'
import type Dockerode from 'dockerode'
import { TaskFailure } from '../../tasks/kind.ts'
import type { ProxyContainer } from '../../tasks/ports/edge.ts'
import type { Container, Engine, RegistryCredentials } from '../../tasks/ports.ts'
import { type ContainerRow, containerState, containersOf, environmentFilter, healthWord, moment } from './container-state.ts'
import { openDockerode } from './dockerode.ts'
import { proxyFilter, proxyOf } from './edge-state.ts'
import { EventSubscriptions, watchedActions } from './engine-events.ts'
import { execInContainer } from './engine-exec.ts'
import { pullFailure, refusedRequest } from './engine-failure.ts'
import { logLines } from './engine-logs.ts'
import { openOutput, outputOf, outputQuery } from './engine-output.ts'
import { createPullProgress, pullParameters } from './engine-pull.ts'
import type { SshConnection } from './ssh-connection.ts'
import { type EngineAgent, engineHost, getJson } from './ssh-engine-agent.ts'

const timeouts = { request: 30_000, exec: 60_000, start: 60_000, stopMargin: 20_000, pull: 30 * 60_000, pullSilence: 3 * 60_000 }

export interface EngineScope {
  readonly project: string
  readonly environment: string
}

/** The engine names a volume nobody named by 64 random hexadecimal digits. */
const anonymousName = /^[0-9a-f]{64}$/

/** `list` is the one look at all containers of the environment, and all that a run without work asks. */
export interface RemoteEngine extends Engine {
  list(): Promise<readonly Container[]>
  proxy(): Promise<ProxyContainer | undefined>
  /** Loads what everything but a look takes, while the host is waited for anyway. */
  prepare(): void
}

export function createEngine(connection: SshConnection, agent: EngineAgent, scope: EngineScope): RemoteEngine {
  let library: Promise<Dockerode> | undefined
  const docker = () => {
    library ??= openDockerode(agent)
    return library
  }
  const filters = environmentFilter(scope.project, scope.environment)
  const names = new Map<string, string>()
  /** What a person calls a container: by its id nobody knows it. */
  const called = (container: string) => names.get(container) ?? container.slice(0, 12)

  /** `settled` names statuses that mean that all is as wanted. */
  async function call<T>(what: string, timeoutMs: number, work: (docker: Dockerode, abortSignal: AbortSignal) => Promise<T>): Promise<T>
  async function call<T, U>(
    what: string,
    timeoutMs: number,
    work: (docker: Dockerode, abortSignal: AbortSignal) => Promise<T>,
    settled: { readonly statuses: readonly number[]; readonly value: U },
  ): Promise<T | U>
  async function call<T, U>(
    what: string,
    timeoutMs: number,
    work: (docker: Dockerode, abortSignal: AbortSignal) => Promise<T>,
    settled?: { readonly statuses: readonly number[]; readonly value: U },
  ): Promise<T | U> {
    return connection.perform(`to ${what}`, timeoutMs, async (signal) => {
      try {
        return await work(await docker(), signal)
      } catch (error) {
        const status = (error as { readonly statusCode?: number }).statusCode
        if (status !== undefined && settled?.statuses.includes(status)) return settled.value
        if (error instanceof TaskFailure || signal.aborted) throw error
        throw new TaskFailure(refusedRequest(await engineHost(connection), what, (error as Error).message), { cause: error })
      }
    })
  }

  const rows = (wanted: Readonly<Record<string, readonly string[]>>): Promise<readonly ContainerRow[]> =>
    connection.perform('to list containers', timeouts.request, async (signal) => {
      try {
        const path = `/containers/json?all=1&filters=${encodeURIComponent(JSON.stringify(wanted))}`
        return (await getJson(agent, path, signal)) as readonly ContainerRow[]
      } catch (error) {
        if (error instanceof TaskFailure || signal.aborted) throw error
        throw new TaskFailure(refusedRequest(await engineHost(connection), 'list containers', (error as Error).message), { cause: error })
      }
    })

  const events = new EventSubscriptions(() =>
    call('watch events', timeouts.request, async (docker, signal) => {
      const stream = await docker.getEvents({ filters: { ...filters, type: ['container'], event: watchedActions } })
      if (signal.aborted) (stream as IncomingMessage).destroy()
      return stream as IncomingMessage
    }),
  )

  return {
    async list() {
      const containers = containersOf(await rows(filters))
      for (const { id, name } of containers) names.set(id, name)
      return containers
    },

    proxy: async () => proxyOf(await rows(proxyFilter)),

    // Whoever needs it is told what is wrong with it.
    prepare: () => void docker().catch(() => undefined),

    async start(container) {
      const work = (docker: Dockerode, abortSignal: AbortSignal) => docker.getContainer(container).start({ abortSignal })
      await call(`start ${called(container)}`, timeouts.start, work, { statuses: [304], value: undefined })
    },

    async stop(container, graceSeconds) {
      const work = (docker: Dockerode, abortSignal: AbortSignal) => docker.getContainer(container).stop({ t: graceSeconds, abortSignal })
      await call(`stop ${called(container)}`, graceSeconds * 1000 + timeouts.stopMargin, work, { statuses: [304], value: undefined })
    },

    async remove(container) {
      const work = (docker: Dockerode, abortSignal: AbortSignal) =>
        docker.getContainer(container).remove({ force: true, v: false, abortSignal })
      // 409: somebody else is removing it.
      await call(`remove ${called(container)}`, timeouts.start, work, { statuses: [404, 409], value: undefined })
    },

    async rename(container, name) {
      await call(`rename ${called(container)} to ${name}`, timeouts.request, (docker, abortSignal) =>
        docker.getContainer(container).rename({ name, abortSignal }),
      )
    },

    async setRestartPolicy(container, policy) {
      const restart = { Name: policy.name, MaximumRetryCount: policy.maximumRetryCount ?? 0 }
      await call(`change the restart policy of ${called(container)}`, timeouts.request, (docker, abortSignal) =>
        docker.getContainer(container).update({ RestartPolicy: restart, abortSignal }),
      )
    },

    inspect: (container) =>
      call(`inspect ${called(container)}`, timeouts.request, async (docker, abortSignal) => {
        const { State, RestartCount, HostConfig, Mounts, NetworkSettings } = await docker.getContainer(container).inspect({ abortSignal })
        return {
          state: containerState(State.Status),
          health: healthWord(State.Health?.Status),
          exitCode: State.ExitCode,
          oomKilled: State.OOMKilled,
          restartCount: RestartCount,
          restartPolicy: HostConfig.RestartPolicy?.Name || 'no',
          ...moment('startedAt', State.StartedAt),
          ...moment('finishedAt', State.FinishedAt),
          anonymousVolumes: Mounts.filter(({ Type, Name }) => Type === 'volume' && anonymousName.test(Name ?? '')).map(
            ({ Destination }) => Destination,
          ),
          error: State.Error,
          healthLog: (State.Health?.Log ?? []).map(
            ({ Output, ExitCode }) => Output.trim() || `it said nothing, and ended with code ${ExitCode}`,
          ),
          addresses: Object.values(NetworkSettings?.Networks ?? {}).flatMap(({ IPAddress }) => IPAddress || []),
        }
      }),

    logs: (container, lines) =>
      call(`read the output of ${called(container)}`, timeouts.request, async (docker, abortSignal) => {
        const stream = await openOutput(docker, container, { stdout: true, stderr: true, tail: lines }, abortSignal)
        const chunks: Buffer[] = []
        for await (const chunk of stream) chunks.push(chunk as Buffer)
        return logLines(Buffer.concat(chunks))
      }),

    async output(container, request, signal) {
      const what = `read the output of ${called(container)}`
      const stream = await call(what, timeouts.request, (docker, abortSignal) =>
        openOutput(docker, container, outputQuery(request), abortSignal),
      )
      return outputOf(stream, signal, async (error) => {
        const { name, where } = await engineHost(connection)
        const message = `the output of ${called(container)} on ${where} broke off: ${error.message}`
        return new TaskFailure({ reason: 'unreachable', subject: name, message }, { cause: error })
      })
    },

    events: (onEvent) => events.subscribe(onEvent),

    exec: (container, argv, options) =>
      call(`run ${argv[0]} in ${called(container)}`, timeouts.exec, (docker, abortSignal) =>
        execInContainer(docker, container, argv, options?.stdin, abortSignal),
      ),

    async joinNetwork(network, container) {
      const work = (docker: Dockerode, abortSignal: AbortSignal) =>
        docker.getNetwork(network).connect({ Container: container, ...{ abortSignal } })
      // 403: it is in the network already.
      await call(`join ${called(container)} to network ${network}`, timeouts.request, work, { statuses: [403], value: undefined })
    },

    hasImage: (reference) =>
      call(
        `look for image ${reference}`,
        timeouts.request,
        (docker) =>
          docker
            .getImage(reference)
            .inspect()
            .then(() => true),
        {
          statuses: [404],
          value: false,
        },
      ),

    pull: (reference, credentials, onLine) =>
      connection.perform(`to pull ${reference}`, timeouts.pull, async (signal) => {
        try {
          await followPull(await docker(), reference, credentials, signal, onLine)
        } catch (error) {
          if (error instanceof TaskFailure || signal.aborted) throw error
          throw new TaskFailure(pullFailure(await engineHost(connection), reference, (error as Error).message), { cause: error })
        }
      }),
  }
}

async function followPull(
  docker: Dockerode,
  reference: string,
  credentials: RegistryCredentials | undefined,
  signal: AbortSignal,
  onLine: ((line: string) => void) | undefined,
): Promise<void> {
  const silence = new AbortController()
  const timer = setTimeout(() => silence.abort(), timeouts.pullSilence)
  const abortSignal = AbortSignal.any([signal, silence.signal])
  const progress = createPullProgress()
  try {
    const stream = await docker.createImage(credentials ?? {}, { ...pullParameters(reference), abortSignal })
    for await (const chunk of stream) {
      timer.refresh()
      for (const line of progress.take(chunk as Buffer)) onLine?.(line)
    }
  } catch (error) {
    if (silence.signal.aborted) throw new Error(`nothing has moved for ${timeouts.pullSilence / 1000} s: timeout`)
    throw error
  } finally {
    clearTimeout(timer)
  }
  if (progress.error !== undefined) throw new Error(progress.error)
  if (!progress.isComplete) throw new Error('the Engine stopped before the image was there')
}
