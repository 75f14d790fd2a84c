import type { SavedPlan } from '../../src/plans/saved-plan.ts'

/** A small plan: an image is built and one container replaced. */
export function savedPlan(): SavedPlan {
  const inputs = { definition: 'd', variables: {}, secrets: {}, files: {} }
  const [fingerprint, state] = ['f1', 'run'] as const
  return {
    schema_version: 1,
    type: 'stagecraft-plan',
    project: 'shop',
    environment: 'prod',
    version: 'v1',
    options: { allow_unreachable: false },
    tasks: [
      {
        ...{ id: 'build:web', kind: 'build', description: 'build web', depends_on: [], effect: false, state, detail: 'first run' },
        ...{ fingerprint, inputs: { ...inputs, files: { 'web/a': 'a' } } },
      },
      {
        ...{ id: 'rollout:web@node-1', kind: 'rollout', description: 'roll web', depends_on: ['build:web'], effect: true, state },
        ...{ detail: 'web-1 is exited', fingerprint: 'f2', inputs },
      },
    ],
    hosts: {
      'node-1': {
        release: 'rel-1',
        bundle: 'b1',
        containers: [{ service: 'web', name: 'web-1', id: 'aaaa', hash: 'h1', state: 'running' }],
        routes: {},
        swarm: {},
      },
    },
  }
}
