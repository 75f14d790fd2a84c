/**
 * A hook in a container of its own: Compose makes it from the release's own file, so that it has the image, the variables and the networks that
 * the service is going to have, and nothing else is started.
 */
import type { TaskId } from '../../graph/types.ts'
import { faultPoint } from '../fault-point.ts'
import { type TaskContext, TaskFailure } from '../kind.ts'
import type { ProgramEnd } from '../ports.ts'
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
    ...Object.entries(given).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
  ]
  const compose = ['docker', 'compose', '--project-name', composeProject, '--file', `${directory}/bundles/${bundle}/docker-compose.yml`]
  const argv = [...cleanEnvironment, ...compose, ...words, service, ...params.command] as const
  const stop = () => void host.engine.remove(container).catch(() => undefined)
  context.signal.addEventListener('abort', stop, { once: true })
  try {
    const end = await inTurn(host, async () => {
      // Its turn may come long after it was asked for.
      if (context.signal.aborted) throw interrupted(params)
      if (params.locked) await context.guard()
      return host.run({ argv, timeoutMs: params.timeoutMs }, (line) => {
        faultPoint('hook-running', context)
        context.log(line)
      })
    })
    if (context.signal.aborted) throw interrupted(params)
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

function releaseOf(service: string, render: string, context: TaskContext): { readonly image: string; readonly bundle: string } {
  const values = context.needs.get(render as TaskId)?.values as RenderValues | undefined
  const found = values?.services[service]
  if (!values || !found) throw new Error(`${context.id} has no service ${service} in the result of ${render}`)
  return { image: found.image, bundle: String(values.bundle) }
}

function interrupted({ point }: HookParams): TaskFailure {
  return new TaskFailure({ reason: 'interrupted', subject: `hook ${point}`, message: 'interrupted while it ran' })
}
