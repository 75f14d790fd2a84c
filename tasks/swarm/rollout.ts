/**
 * A rollout on a swarm: the spec is handed over, and the Engine does the rest: copy after copy, health-gated, and back by itself when one fails.
 * What is ours: what is sent, waiting for the end, and saying truly what it was.
 */
import type { ActionResult, TaskId } from '../../graph/types.ts'
import { type Look, type TaskContext, TaskFailure } from '../kind.ts'
import type { Host, SwarmService } from '../ports.ts'
import { awaitChange, type ChangeEnd } from './await-change.ts'
import { failedTask, hasEnded, needsChange, sameImage, serviceDrift, taskText, type WantedService } from './decide.ts'
import { filledSpec, forceCount, imageOf, withForceCount, withImage, withObjectIds } from './fill.ts'
import { makeObjects } from './objects.ts'
import { type StackService, type SwarmRolloutParams, stackValues } from './params.ts'

interface Rolling {
  readonly params: SwarmRolloutParams
  readonly context: TaskContext
  readonly host: Host
  readonly stack: ReturnType<typeof stackValues.parse>
  readonly files: ActionResult['files']
  readonly entry: StackService
  readonly wanted: WantedService
}

export function selectService({ service }: SwarmRolloutParams, result: ActionResult) {
  const { hash, replicas } = stackValues.parse(result.values).services[service] ?? { hash: '', replicas: 0 }
  return { hash, replicas }
}

export async function observe(params: SwarmRolloutParams, context: TaskContext): Promise<Look> {
  const rolling = desired(params, context)
  const found = await current(rolling)
  const drift = serviceDrift(rolling.wanted, found)
  if (drift !== undefined) return { fresh: false, because: { reason: found === undefined ? 'absent' : 'drift', detail: drift } }
  return { fresh: true, result: resultOf(rolling), detail: `${rolling.wanted.replicas} running` }
}

export async function run(params: SwarmRolloutParams, context: TaskContext): Promise<ActionResult> {
  const rolling = desired(params, context)
  const { host, wanted } = rolling
  host.changed()
  const before = await current(rolling)
  const isForced = serviceDrift(wanted, before) === undefined
  const ended = new Set(before === undefined ? [] : (await host.swarm.tasks(before.id)).filter(hasEnded).map(({ id }) => id))
  const isSent = before === undefined || isForced || needsChange(wanted, before)
  try {
    const id = isSent ? await send(rolling, before, isForced) : before.id
    const end = await awaitChange(host, id, {
      replicas: wanted.replicas,
      ended,
      // A change that the Engine has not taken up yet looks like one that is done.
      monitorMs: Math.max(isSent && before !== undefined ? 3 : 0, params.monitorSeconds) * 1000,
      timeoutMs: timeoutMs(params),
      signal: context.signal,
      say: (line) => context.log(line),
    })
    if (end.state !== 'done') throw await broken(rolling, before, isSent, end)
  } finally {
    host.changed()
  }
  const change = isSent ? { change: before === undefined ? 'made' : 'changed' } : {}
  const result = resultOf(rolling)
  return { ...result, values: { ...result.values, ...change } }
}

/** Others failed in this run: the service goes back to what it was before, or goes. */
export async function undo(params: SwarmRolloutParams, context: TaskContext, { values }: ActionResult): Promise<void> {
  if (values['change'] === undefined) return
  const rolling = desired(params, context)
  rolling.host.changed()
  const found = await current(rolling)
  if (found === undefined) return
  await context.guard()
  const why = await takeBack(rolling, found, values['change'] === 'made')
  if (why !== undefined) throw new TaskFailure({ reason: 'unhealthy', subject: params.service, message: why })
}

/** All copies, one after another, and as long as the Engine watches each of them. */
function timeoutMs({ replicas, timeoutSeconds, monitorSeconds }: SwarmRolloutParams): number {
  return Math.max(1, replicas) * (timeoutSeconds + monitorSeconds) * 1000
}

async function send(rolling: Rolling, before: SwarmService | undefined, isForced: boolean): Promise<string> {
  const { host, entry, context, wanted, stack, files } = rolling
  const ids = await makeObjects(host, entry, stack, files, context)
  const image = await imageToSend(rolling, before)
  const force = (before === undefined ? 0 : forceCount(before.spec)) + (isForced ? 1 : 0)
  const spec = withForceCount(withImage(withObjectIds(wanted.spec, ids), image), force)
  const credentials = await context.ports.registry.credentials(image)
  await context.guard()
  context.log(`${before === undefined ? 'making' : 'changing'} service ${String(spec['Name'])}`)
  if (before === undefined) return host.swarm.create(spec, credentials)
  await host.swarm.update(before, spec, credentials)
  return before.id
}

/** By digest, so that every node pulls the same; what has none here keeps its tag, and each node resolves it for itself. */
async function imageToSend({ wanted, context }: Rolling, before: SwarmService | undefined): Promise<string> {
  const image = imageOf(wanted.spec)
  if (image.includes('@')) return image
  const running = before && imageOf(before.spec)
  if (running !== undefined && before?.hash === wanted.hash && sameImage(image, running)) return running
  try {
    const digest = (await context.ports.registry.manifest(image))?.digest
    return digest === undefined ? image : `${image}@${digest}`
  } catch (error) {
    if (!(error instanceof TaskFailure) || error.failure.reason === 'bug' || context.signal.aborted) throw error
    context.log(`${image} has no digest here (${error.failure.message}): each node pulls what it finds under that name`)
    return image
  }
}

/** Says what became of the change, after seeing to it that the old version serves. */
async function broken(rolling: Rolling, before: SwarmService | undefined, isSent: boolean, end: Exclude<ChangeEnd, { state: 'done' }>) {
  const { params, host, context } = rolling
  const task = failedTask(end.tasks)
  const cause = task ? taskText(task) : end.why
  const output = task ? await host.swarm.taskLogs(task.id, 20).catch((): readonly string[] => []) : []
  const after = await aftermath(rolling, before, isSent, end)
  if (context.signal.aborted) {
    return new TaskFailure({
      reason: 'interrupted',
      subject: params.service,
      message: `the rollout of ${params.service} was interrupted; ${after}`,
    })
  }
  const reason = end.state === 'timeout' ? 'timeout' : 'unhealthy'
  const what =
    end.state === 'timeout' ? `the new version of ${params.service} ${end.why}` : `the new version of ${params.service} failed: ${cause}`
  return new TaskFailure({
    ...{ reason, subject: `${params.service} on the swarm of ${host.name}`, message: `${what}; ${after}`, output },
    remedy: 'mend the image or its configuration and deploy again',
  })
}

async function aftermath(rolling: Rolling, before: SwarmService | undefined, isSent: boolean, end: ChangeEnd): Promise<string> {
  if (end.state === 'went-back') return 'the swarm rolled it back, and the old version serves'
  if (end.service === undefined) return 'nothing of it is left'
  if (!isSent) return 'nothing was changed by this run'
  const why = await takeBack(rolling, end.service, before === undefined)
  if (why !== undefined) return why
  return before === undefined ? 'it was removed again' : 'the swarm was told to go back, and the old version serves'
}

/** @returns why it could not; undefined when it is as it was. */
async function takeBack({ host, params, context, wanted }: Rolling, found: SwarmService, isNew: boolean): Promise<string | undefined> {
  if (isNew) {
    await host.swarm.remove(found)
    host.changed()
    return undefined
  }
  const ended = new Set((await host.swarm.tasks(found.id)).filter(hasEnded).map(({ id }) => id))
  await host.swarm.rollBack(found)
  const end = await awaitChange(host, found.id, {
    ...{ replicas: 0, ended, monitorMs: 3000, timeoutMs: timeoutMs(params) },
    // What is half done is finished, also by who was interrupted.
    signal: new AbortController().signal,
    say: (line) => context.log(line),
  })
  host.changed()
  if (end.state === 'done' || end.state === 'went-back') return undefined
  return `and it did not go back to what it was: ${end.why}. See docker service ps ${String(wanted.spec['Name'])} on ${host.name}`
}

async function current({ host, params }: Pick<Rolling, 'host' | 'params'>): Promise<SwarmService | undefined> {
  return (await host.observe()).swarm?.services.find(({ service }) => service === params.service)
}

function desired(params: SwarmRolloutParams, context: TaskContext): Rolling {
  const rendered = context.needs.get(params.stack as TaskId)
  if (!rendered) throw new Error(`${context.id} has no result of ${params.stack}`)
  const stack = stackValues.parse(rendered.values)
  const entry = stack.services[params.service]
  if (!entry) throw new Error(`the stack has no service ${params.service}`)
  const spec = filledSpec(entry, context.ports.secrets)
  const wanted = { service: params.service, hash: entry.hash, replicas: entry.replicas, spec }
  return { params, context, host: context.ports.host(params.manager), stack, files: rendered.files, entry, wanted }
}

function resultOf({ entry, params }: Rolling): ActionResult {
  return { files: {}, values: { service: params.service, hash: entry.hash, image: entry.image, replicas: entry.replicas } }
}
