/**
 * `hook`: runs a command of the user's before or after others. It is no work of its own: it runs in a run in which something that it stands
 * around runs, and then every time; no cache is asked. One that did not end well is owed: the next deploy runs it before it goes on.
 */
import type { ActionResult, TaskId } from '../graph/types.ts'
import { faultPoint } from './fault-point.ts'
import { type HookParams, hookParams } from './hook/params.ts'
import { runHook } from './hook/run-hook.ts'
import { defineTask } from './kind.ts'

export type { HookParams } from './hook/params.ts'

const nothing: ActionResult = { files: {}, values: {} }
/** Below the folder of the environment on its primary host. */
const marks = 'hooks'
const markOf = (point: string) => `${marks}/${point.replace(/[^A-Za-z0-9_@.-]/g, '-')}`

export const hook = defineTask<HookParams>({
  name: 'hook',
  version: 1,
  summary: 'runs a command of yours before or after others, when one of those runs',
  freshness: 'effect',
  params: hookParams,
  title: ({ point, container }) => (container ? `hook ${point} in ${container.service} on ${container.host}` : `hook ${point}`),
  phaseOf: ({ phase }) => phase ?? undefined,
  inputs: ({ secrets }) => ({ secrets }),
  around: ({ after, locked }) => ({ ...(after === null ? {} : { after: after as TaskId[] }), exclusive: locked }),
  // Asked of what comes after others when none of those ran: was it begun in an earlier run, and did not end well?
  async observe({ point, owedOn }, { ports }) {
    const isOwed = owedOn !== null && (await ports.host(owedOn).files.exists(markOf(point)))
    if (isOwed) return { fresh: false, because: { reason: 'drift', detail: 'it did not end well in an earlier deploy' } }
    return { fresh: true, result: nothing, detail: 'not needed: nothing it stands around runs' }
  },
  async run(params, context) {
    const files = params.owedOn === null ? undefined : context.ports.host(params.owedOn).files
    if (files) {
      await context.guard()
      await files.makeDirectory(marks)
      await files.write(markOf(params.point), Buffer.from(''), 0o640)
    }
    faultPoint('hook-marked', context)
    await runHook(params, context)
    faultPoint('hook-ran', context)
    await files?.remove(markOf(params.point))
    return nothing
  },
})
