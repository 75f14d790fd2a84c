/** How a Swarm service is kept up, changed and placed, and what it may use. Pure. */
import type { Json, JsonObject } from '../../graph/types.ts'
import { isObject, items } from '../rendering/json.ts'
import { compact } from './compact.ts'
import { duration, texts } from './container-spec.ts'
import { bytes, nanoCpus } from './units.ts'

const second = 1e9

export interface UpdatePolicy {
  readonly order: 'start-first' | 'stop-first'
  /** How long a new copy must stay up after it became ready. */
  readonly monitorSeconds: number
}

/**
 * The Engine replaces copy after copy, and goes back by itself when one fails: whatever `update_config` says of failures, for half a service
 * is nothing anybody asked for.
 */
export function updateConfig(service: JsonObject, { order, monitorSeconds }: UpdatePolicy): JsonObject {
  const given = part(part(service, 'deploy'), 'update_config')
  return compact({
    Parallelism: Number(given['parallelism'] ?? 1),
    Delay: duration(given['delay']),
    Monitor: duration(given['monitor']) ?? Math.max(1, monitorSeconds) * second,
    MaxFailureRatio: Number(given['max_failure_ratio'] ?? 0),
    FailureAction: 'rollback',
    Order: order,
  })
}

/** All copies that were replaced go back as they came, and nothing comes after a failure of that. */
export function rollbackConfig(service: JsonObject, { order }: UpdatePolicy): JsonObject {
  const given = part(part(service, 'deploy'), 'rollback_config')
  return compact({
    Parallelism: Number(given['parallelism'] ?? 1),
    Delay: duration(given['delay']),
    Monitor: duration(given['monitor']) ?? second,
    FailureAction: 'pause',
    Order: order,
  })
}

/** `deploy.restart_policy`, else `restart`; without either a swarm keeps up what it was asked for. */
export function restartPolicy(service: JsonObject): JsonObject {
  const given = part(part(service, 'deploy'), 'restart_policy')
  const [name = '', count] = String(service['restart'] ?? 'any').split(':')
  const condition = { no: 'none', 'on-failure': 'on-failure' }[name] ?? 'any'
  return compact({
    Condition: String(given['condition'] ?? condition),
    Delay: duration(given['delay']) ?? second,
    MaxAttempts: Number(given['max_attempts'] ?? count ?? 0),
    Window: duration(given['window']),
  })
}

export function resources(service: JsonObject): JsonObject {
  const given = part(part(service, 'deploy'), 'resources')
  const [limits, reservations] = [part(given, 'limits'), part(given, 'reservations')]
  return compact({
    Limits: {
      NanoCPUs: amount(limits['cpus'] ?? service['cpus'], nanoCpus),
      MemoryBytes: amount(limits['memory'] ?? service['mem_limit'], bytes),
      Pids: amount(limits['pids'] ?? service['pids_limit'], Number),
    },
    Reservations: {
      NanoCPUs: amount(reservations['cpus'], nanoCpus),
      MemoryBytes: amount(reservations['memory'] ?? service['mem_reservation'], bytes),
    },
  })
}

/** @param constraints of ours, besides the user's own. */
export function placement(service: JsonObject, constraints: readonly string[]): JsonObject {
  const given = part(part(service, 'deploy'), 'placement')
  const [, os, architecture] = /^([^/]+)\/([^/]+)/.exec(String(service['platform'] ?? '')) ?? []
  return compact({
    Constraints: [...items(given['constraints']).map(String), ...constraints],
    Preferences: items(given['preferences']).flatMap((preference) =>
      isObject(preference) ? [{ Spread: { SpreadDescriptor: String(preference['spread'] ?? '') } }] : [],
    ),
    MaxReplicas: Number(given['max_replicas_per_node'] ?? 0),
    Platforms: os === undefined || architecture === undefined ? [] : [{ OS: os, Architecture: architecture }],
  })
}

export function logDriver(service: JsonObject): JsonObject | undefined {
  const given = part(service, 'logging')
  return given['driver'] === undefined ? undefined : compact({ Name: String(given['driver']), Options: texts(given['options']) })
}

/** A member that is an object; an empty one when it is not there. */
export function part(of: JsonObject, name: string): JsonObject {
  const found = of[name]
  return isObject(found) ? found : {}
}

function amount(given: Json | undefined, read: (text: string) => number | undefined): number | undefined {
  return given === undefined || given === null ? undefined : read(String(given))
}
