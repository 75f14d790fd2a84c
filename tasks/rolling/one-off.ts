/**
 * A command in a container of its own: Compose makes it from the release's own file, so that it has the image, the variables and the networks that
 * the service is going to have, and nothing else is started.
 */
import type { TaskId } from '../../graph/types.ts'
import { commandText } from '../exec/command-text.ts'
import { type TaskContext, TaskFailure } from '../kind.ts'
import type { Exit, Host, ProgramEnd } from '../ports.ts'
import type { RenderValues } from '../rendering/params.ts'
import { cleanEnvironment, inTurn } from './compose.ts'

/** Where it runs. */
export interface OneOffPlace {
  readonly service: string
  readonly host: string
  readonly composeProject: string
  /** Of the environment, on the host. */
  readonly directory: string
  /** The task that tells which bundle and image the release has there. */
  readonly render: string
}

export interface OneOff {
  /** What it is called in a failure. */
  readonly subject: string
  /** Of the container: no two have the same. */
  readonly container: string
  /** In the place of the project's label: under that, it would be taken for one of the service's containers. */
  readonly label: string
  readonly command: readonly string[]
  /** Added to those of the service. */
  readonly variables: Readonly<Record<string, string>>
  readonly timeoutMs: number
  /** Checks the environment's lock right before it starts. */
  readonly locked: boolean
  /** Makes the name free, or says why it is not to be. */
  clear(host: Host): Promise<void>
  onLine(line: string): void
}

/** @throws TaskFailure when it took too long, the Engine did not start it, or the host does not answer; its own end is a value. */
export async function runOneOff(one: OneOff, place: OneOffPlace, context: TaskContext): Promise<ProgramEnd> {
  const host = context.ports.host(place.host)
  const { image, bundle } = releaseOf(place, context)
  if (!(await host.engine.hasImage(image))) {
    context.log(`pulling ${image}`)
    await host.engine.pull(image, await context.ports.registry.credentials(image), (line) => context.log(line))
  }
  await one.clear(host)
  const words = [
    ...['run', '--rm', '--no-deps', '--no-TTY', '--interactive=false', '--name', one.container],
    ...['--label', `stagecraft.project=${one.label}`],
  ]
  const file = `${place.directory}/bundles/${bundle}/docker-compose.yml`
  const compose = ['docker', 'compose', '--project-name', place.composeProject, '--file', file, '--file', '-']
  const argv = [...cleanEnvironment, ...compose, ...words, place.service, ...one.command] as const
  const stop = () => void host.engine.remove(one.container).catch(() => undefined)
  context.signal.addEventListener('abort', stop, { once: true })
  try {
    const end = await inTurn(host, async () => {
      // Its turn may come long after it was asked for.
      if (context.signal.aborted) throw interrupted(one)
      if (one.locked) await context.guard()
      return host.run({ argv, stdin: variablesText(place.service, one.variables), timeoutMs: one.timeoutMs }, one.onLine)
    })
    if (context.signal.aborted) throw interrupted(one)
    const refusal = refusalIn(end)
    if (refusal !== undefined) throw notStarted(one, place, refusal)
    return { code: end.code }
  } catch (error) {
    // Whatever cut it off: the program in it must not go on.
    await host.engine.remove(one.container).catch(() => undefined)
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

function notStarted({ subject, command }: OneOff, { service, host }: OneOffPlace, refusal: string): TaskFailure {
  return new TaskFailure({
    reason: 'refused',
    subject,
    message: `the container for \`${commandText(command)}\` did not start on ${host}: ${refusal}`,
    remedy: `see that the image of ${service} has the program, and that its user, volumes and devices are there`,
  })
}

function releaseOf({ service, render }: OneOffPlace, context: TaskContext): { readonly image: string; readonly bundle: string } {
  const values = context.needs.get(render as TaskId)?.values as RenderValues | undefined
  const found = values?.services[service]
  if (!values || !found) throw new Error(`${context.id} has no service ${service} in the result of ${render}`)
  return { image: found.image, bundle: String(values.bundle) }
}

function interrupted({ subject }: OneOff): TaskFailure {
  return new TaskFailure({ reason: 'interrupted', subject, message: 'interrupted while it ran' })
}
