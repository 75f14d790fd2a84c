/** The release's last word on health: every service on every host is as wanted, looked at after all rollouts. */
import { z } from 'zod'
import type { ActionResult, TaskId } from '../graph/types.ts'
import { defineTask, type TaskContext, TaskFailure } from './kind.ts'
import { drift, serviceState } from './rolling/decide.ts'
import { unhealthyInSwarm } from './swarm/health.ts'

const params = z.lazy(() =>
  z.strictObject({
    environment: z.string(),
    services: z.array(z.strictObject({ service: z.string(), host: z.string(), render: z.string(), replicas: z.number() })),
    /** On a swarm: the manager, and the task that says what is wanted there. */
    swarm: z.strictObject({ manager: z.string(), stack: z.string(), services: z.array(z.string()) }).exactOptional(),
    timeoutSeconds: z.number(),
  }),
)
export type HealthParams = z.infer<typeof params>

/** Between two looks; shorter where there is little time. */
const longestPauseMs = 1000
/** How long all must be well that was not at the first look. */
const longestSteadyMs = 5000

export const health = defineTask<HealthParams>({
  name: 'health',
  version: 1,
  summary: 'waits until every service of the environment runs as wanted',
  freshness: 'effect',
  phase: 'rollout',
  looksAfterOthers: true,
  params,
  title: ({ environment }) => `check the health of ${environment}`,
  async observe(params, context) {
    const problems = await unhealthy(params, context)
    if (problems.length > 0) return { fresh: false, because: { reason: 'drift', detail: problems.join('; ') } }
    const { services, swarm } = params
    return { fresh: true, result: resultOf(params), detail: `${services.length + (swarm?.services.length ?? 0)} healthy` }
  },
  async run(params, context) {
    const timeoutMs = params.timeoutSeconds * 1000
    const deadline = Date.now() + timeoutMs
    const pauseMs = Math.min(longestPauseMs, timeoutMs / 10)
    let problems = await unhealthy(params, context)
    const steadyMs = Math.min(longestSteadyMs, timeoutMs / 2)
    // What fell once may be up at any look, and fall again: it has to stay up for a while, unless all was well at the first.
    let wellSince = problems.length === 0 ? 0 : Number.POSITIVE_INFINITY
    const hasTime = () => problems.length === 0 || Date.now() < deadline
    while (Date.now() - wellSince < steadyMs && hasTime() && !context.signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
      for (const { host } of params.services) context.ports.host(host).changed()
      if (params.swarm) context.ports.host(params.swarm.manager).changed()
      problems = await unhealthy(params, context)
      wellSince = problems.length > 0 ? Number.POSITIVE_INFINITY : Math.min(wellSince, Date.now())
    }
    if (problems.length === 0) return resultOf(params)
    throw new TaskFailure({
      reason: 'unhealthy',
      subject: params.environment,
      message: `after the rollout, ${params.environment} is not as wanted: ${problems.join('; ')}`,
      output: await logsOf(params, context),
      remedy: 'mend what its containers complain about and deploy again: what runs as wanted is kept, the rest is repaired',
    })
  },
})

async function unhealthy(params: HealthParams, context: TaskContext): Promise<string[]> {
  const problems: string[] = []
  for (const { service, host, render, replicas } of params.services) {
    const { containers } = await context.ports.host(host).observe()
    const wanted = { service, hash: wantedHash(context, render, service), replicas }
    const found = drift(wanted, serviceState(wanted, containers))
    if (found !== undefined) problems.push(`${service} on ${host}: ${found}`)
  }
  return params.swarm ? [...problems, ...(await unhealthyInSwarm(params.swarm, context))] : problems
}

async function logsOf(params: HealthParams, context: TaskContext): Promise<string[]> {
  const lines: string[] = []
  for (const { service, host, render, replicas } of params.services) {
    const port = context.ports.host(host)
    const wanted = { service, hash: wantedHash(context, render, service), replicas }
    const { broken, adoptable } = serviceState(wanted, (await port.observe()).containers)
    for (const container of [...broken, ...adoptable])
      lines.push(...(await port.engine.logs(container.id, 10)).map((line) => `${container.name} │ ${line}`))
  }
  return lines
}

function wantedHash(context: TaskContext, render: string, service: string): string {
  const services = context.needs.get(render as TaskId)?.values['services'] as Readonly<Record<string, { hash: string }>> | undefined
  const hash = services?.[service]?.hash
  if (hash === undefined) throw new Error(`${render} has no hash of ${service}`)
  return hash
}

function resultOf({ services, swarm }: HealthParams): ActionResult {
  return { files: {}, values: { healthy: [...services.map(({ service, host }) => `${service}@${host}`), ...(swarm?.services ?? [])] } }
}
