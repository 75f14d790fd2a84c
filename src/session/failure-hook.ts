/** `after_failure`: a command of the user's once a deploy has failed and what could go back went back. It changes nothing about how the deploy ended. */
import { fingerprint } from '../../graph/fingerprint.ts'
import type { Outcome, TaskGraph, TaskId } from '../../graph/types.ts'
import { runHook } from '../../tasks/hook/run-hook.ts'
import { hook } from '../../tasks/hook.ts'
import { describeAction } from '../assess.ts'
import type { App } from '../contracts.ts'
import { failureFrom } from '../execution/failure.ts'
import { contextOf } from '../execution/task-run.ts'
import { scopeOf } from '../pipelines/fleet-part.ts'
import { failureHook } from '../pipelines/hook-tasks.ts'
import type { Release } from '../releases/release.ts'
import { shortName } from '../ui/task-name.ts'
import type { Project } from './open-project.ts'
import type { World } from './open-world.ts'
import { unrecorded } from './recording.ts'

const id = 'hook:after_failure' as TaskId

/** Of a deploy that failed, and that nobody interrupted. Never rejects for what the hook does. */
export async function runFailureHook(
  graph: TaskGraph,
  outcomes: ReadonlyMap<TaskId, Outcome>,
  release: Release | undefined,
  { deployment, part }: Project,
  world: World,
  app: App,
): Promise<void> {
  const params = failureHook(deployment, scopeOf(deployment, part))
  const failed = firstFailure(graph, outcomes)
  const isDeploy = graph.order.some((one) => graph.task(one).kind === 'finalize')
  if (!params || !failed || !isDeploy || app.signal.aborted) return
  const say = (line: string) => void app.stderr.write(`${world.redact(`hook after_failure: ${line}`)}\n`)
  const task = { id, kind: hook.name, params, needs: [], after: [] }
  const ports = { ...world.ports, release: release === undefined ? unrecorded : { ...unrecorded, id: async () => release.id } }
  const output: string[] = []
  try {
    const { action } = await describeAction(task, hook, new Map(), world.assessor)
    const told = ({ line }: { readonly line: string }) => say(line)
    const given = { task, needs: new Map(), signal: app.signal, output }
    const context = contextOf(given, { fingerprint: fingerprint(action) }, { ...world, ports, verbose: false, told })
    const { failure } = failed
    await runHook(params, context, {
      STAGECRAFT_FAILED_TASK: shortName(failed.id),
      STAGECRAFT_REASON: world.redact(`${failure.subject}: ${failure.message}`),
    })
  } catch (error) {
    const { message } = failureFrom(error, { aborted: app.signal.aborted, output, redact: world.redact })
    say(`${message}; what the deploy came to is not changed by that`)
  }
}

function firstFailure(graph: TaskGraph, outcomes: ReadonlyMap<TaskId, Outcome>) {
  for (const one of graph.order) {
    const outcome = outcomes.get(one)
    if (outcome?.status === 'failed') return { id: one, failure: outcome.failure }
  }
  return undefined
}
