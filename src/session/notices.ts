/** What a plan should say beyond its tasks: where something stops before its replacement starts, and what a deploy leaves alone. Pure. */
import type { TaskGraph } from '../../graph/types.ts'
import type { RolloutParams } from '../../tasks/rollout.ts'
import type { Deployment, Prediction } from '../contracts.ts'

export function noticesOf(
  graph: TaskGraph,
  { databases, fleet, swarm }: Deployment,
  predictionOf: (id: TaskGraph['order'][number]) => Prediction,
): string[] {
  const gaps = graph.order
    .map((id) => graph.task(id))
    .filter(({ id, kind }) => kind === 'rollout' && predictionOf(id).state !== 'fresh')
    .map(({ params }) => params as unknown as Omit<RolloutParams, 'host'> & { readonly host?: string })
    .filter(({ order }) => order === 'stop-first')
    .map(({ service, host, orderReason }) => {
      const place = host === undefined ? 'in the swarm' : `on ${host}`
      return `${service} ${place} stops before its replacement starts: ${orderReason ?? 'no reason given'}`
    })
  const manual = databases
    .filter(({ strategy }) => strategy === 'manual')
    .map(({ name }) => `migrations of ${name} are manual: no deploy runs them`)
  const isRolling = graph.order.some((id) => graph.task(id).kind === 'rollout' && predictionOf(id).state !== 'fresh')
  return [...gaps, ...manual, ...(isRolling ? [`on failure: ${(swarm ? wayBackInSwarm : wayBack)[fleet.onFailure]}`] : [])]
}

const wayBack: Readonly<Record<Deployment['fleet']['onFailure'], string>> = {
  rollback: 'hosts swapped in this run go back to what they ran before, the last first',
  hold: 'nothing more starts, and hosts that were swapped stay so',
  continue: 'other hosts go on, and hosts that were swapped stay so',
}

const wayBackInSwarm: typeof wayBack = {
  rollback: 'the swarm takes back the service that failed, and services changed in this run before it go back too',
  hold: 'the swarm takes back the service that failed, nothing more starts, and services that were changed stay so',
  continue: 'the swarm takes back the service that failed, and other services go on',
}
