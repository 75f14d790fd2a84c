/**
 * A hook in a container of its own: Compose makes it from the release's own file, so that it has the image, the variables and the networks that
 * the service is going to have, and nothing else is started.
 */
import type { TaskId } from '../../graph/types.ts'
import { commandText } from '../exec/command-text.ts'
import { faultPoint } from '../fault-point.ts'
import { type TaskContext, TaskFailure } from '../kind.ts'
import type { Exit, ProgramEnd } from '../ports.ts'
import type { RenderValues } from '../rendering/params.ts'
import { cleanEnvironment, inTurn } from '../rolling/compose.ts'
import type { HookContainer, HookParams } from './params.ts'

/** @throws TaskFailure when it took too long, or the host does not answer. */
export async function runInContainer(
  params: HookParams,
  { service, host: name, composeProject, directory, render }: HookContainer,
  variables: Readonly<Record<string, string>>,
  context: TaskContext,
): Promise<ProgramEnd> {
  const host = context.ports.host(name)
  const { image, bundle } = releaseOf(service, render, context)
  if (!(await host.engine.hasImage(image))) {
    context.log(`pulling ${image}`)
    await host.engine.pull(image, await context.ports.registry.credentials(image), (line) => context.log(line))
  }
  const container = `${composeProject}-hook-${params.point.replace(/[^a-z0-9_]+/gi, '-')}`
  // Of a run that was killed: its name is taken, and it may still be at work.
  await host.engine.remove(container)
  const given = { ...context.ports.environment.matching(params.env), ...variables }
  const words = [
    ...['run', '--rm', '--no-deps', '--no-TTY', '--interactive=false', '--name', container],
    // Under the project's own name it would be taken for one of the service's containers.
    ...['--label', `stagecraft.project=hook of ${context.scope.project}`],
  ]
  const file = `${directory}/bundles/${bundle}/docker-compose.yml`
  const compose = ['docker', 'compose', '--project-name', composeProject, '--file', file, '--file', '-']
  const argv = [...cleanEnvironment, ...compose, ...words, service, ...params.command] as const
  const stop = () => void host.engine.remove(container).catch(() => undefined)
  context.signal.addEventListener('abort', stop, { once: true })
  try {
    const end = await inTurn(host, async () => {
      // Its turn may come long after it was asked for.
      if (context.signal.aborted) throw interrupted(params)
      if (params.locked) await context.guard()
      return host.run({ argv, stdin: variablesText(service, given), timeoutMs: params.timeoutMs }, (line) => {
        faultPoint('hook-running', context)
        context.log(line)
      })
    })
    if (context.signal.aborted) throw interrupted(params)
    const refusal = refusalIn(end)
    if (refusal !== undefined) throw notStarted(params, name, refusal)
    return { code: end.code }
  } catch (error) {
    // Whatever cut it off: the program in it must not go on.
    await host.engine.remove(container).catch(() => undefined)
    throw error
  } finally {
    context.signal.removeEventListener('abort', stop)
    host.changed()
  }
}

/**
 * A second Compose file, by standard input: everybody on the host can read arguments, and what Compose itself finds in its environment would change
 * what the release's own file means.
 */
function variablesText(service: string, variables: Readonly<Record<string, string>>): string {
  const environment = Object.fromEntries(Object.entries(variables).map(([key, value]) => [key, value.replaceAll('$', '$$$$')]))
  return JSON.stringify({ services: { [service]: { environment } } })
}

/** Why the Engine did not start it. Compose then says so last of all, and ends with a code of its own, which the command never had a say in. */
function refusalIn({ code, stderr }: Exit): string | undefined {
  if (code === 0) return undefined
  return /^Error response from daemon: (.*)$/.exec(stderr.trimEnd().split('\n').at(-1) ?? '')?.[1]
}

function notStarted({ point, command, container }: HookParams, host: string, refusal: string): TaskFailure {
  return new TaskFailure({
    reason: 'refused',
    subject: `hook ${point}`,
    message: `the container for \`${commandText(command)}\` did not start on ${host}: ${refusal}`,
    remedy: `see that the image of ${container?.service} has the program, and that its user, volumes and devices are there`,
  })
}

function releaseOf(service: string, render: string, context: TaskContext): { readonly image: string; readonly bundle: string } {
  const values = context.needs.get(render as TaskId)?.values as RenderValues | undefined
  const found = values?.services[service]
  if (!values || !found) throw new Error(`${context.id} has no service ${service} in the result of ${render}`)
  return { image: found.image, bundle: String(values.bundle) }
}

function interrupted({ point }: HookParams): TaskFailure {
  return new TaskFailure({ reason: 'interrupted', subject: `hook ${point}`, message: 'interrupted while it ran' })
}
