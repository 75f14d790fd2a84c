/**
 * `hook`: runs a command of the user's before or after others. It is no work of its own: it runs in a run in which something that it stands
 * around runs, and then every time; no cache is asked.
 */
import type { TaskId } from '../graph/types.ts'
import { type HookParams, hookParams } from './hook/params.ts'
import { runHook } from './hook/run-hook.ts'
import { defineTask } from './kind.ts'

export type { HookParams } from './hook/params.ts'

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
  async run(params, context) {
    await runHook(params, context)
    return { files: {}, values: {} }
  },
})
