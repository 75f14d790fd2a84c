/** How a service is rolled: what the manifest says over what the service can stand. */

import { nearest } from '../../graph/nearest.ts'
import type { JsonObject } from '../../graph/types.ts'
import { takesHostPort } from '../../tasks/swarm/published.ts'
import type { FleetPolicy, RolloutPolicy } from '../contracts.ts'
import { problem, warning } from './diagnostic.ts'
import { parseDuration } from './duration.ts'
import { interpolate } from './interpolate.ts'
import { own } from './json-path.ts'
import { fixedHostPorts, roomInRanges } from './published-ports.ts'
import type { RolloutConfig } from './schema/services.ts'
import { foundText } from './schema-problems.ts'
import { type Setting, serviceOrigin } from './setting.ts'
import { parseSize } from './size.ts'
import { writableMounts } from './stored-volumes.ts'

const defaults = { driver: 'native', timeout_seconds: 60, min_ready_seconds: 5 } as const
const defaultStopGraceSeconds = 10

/** `built`: the image is ours to build, so the service is taken for an application rather than a store. */
export function resolveRollout(name: string, definition: JsonObject, replicas: number, built: boolean, setting: Setting): RolloutPolicy {
  const { environment, loaded } = setting
  const overrides = own(environment.services, name)?.rollout
  const { canary: _canary, batch: _batch, on_failure: _onFailure, target: _target, ...general } = environment.rollout
  const wanted: RolloutConfig = { ...general, ...own(loaded.config.services, name)?.rollout, ...overrides }
  const minFreeBytes = wanted.min_free_space === undefined ? undefined : parseSize(wanted.min_free_space)
  const conflict = cannotRunTwice(definition, setting)
  if (conflict !== undefined && replicas > 1) {
    const message = `service \`${name}\` wants ${replicas} replicas but ${conflict}`
    setting.report(problem('SC1041', message, serviceOrigin(setting, name)))
  } else if (conflict !== undefined && wanted.order === 'start-first' && wanted.driver !== 'recreate') {
    const message = `service \`${name}\` cannot start the new container first: it ${conflict}`
    setting.report(problem('SC1040', message, settingLocation('order', name, setting), { suggestion: 'stop-first' }))
  }
  if (conflict !== undefined && wanted.driver === 'docker-rollout') {
    const message = `service \`${name}\` ${conflict}, so docker-rollout cannot double it: it is rolled by the native driver`
    setting.report(warning('SC1066', message, serviceOrigin(setting, name)))
  }
  const reason = conflict ?? portReason(definition, setting) ?? (built || replicas > 1 ? undefined : dataReason(definition))
  const order = wanted.order ?? (reason === undefined ? 'start-first' : 'stop-first')
  // Two of what stops first must never run side by side, and that is all the plugin does.
  const driver = wanted.driver === 'docker-rollout' && order === 'stop-first' ? 'native' : (wanted.driver ?? defaults.driver)
  if (wanted.surge !== undefined && driver !== 'native' && !setting.swarm) {
    const message = `service \`${name}\`: driver \`${driver}\` does not know \`surge\`: it ${allAtOnce[driver]}`
    setting.report(warning('SC1067', message, settingLocation('surge', name, setting)))
  }
  const beside = order === 'stop-first' ? 0 : newBeside(replicas, wanted)
  const [needed, room] = [replicas + beside, roomInRanges(definition, setting.variables)]
  if (conflict === undefined && room < needed) {
    const side = beside > 0 ? ': new ones start beside the old ones' : ''
    const message = `service \`${name}\` publishes a range of host ports for ${room}, but ${replicas} on a host need ${needed}${side}`
    const notes = [{ message: 'make the range longer, or publish none: what has a `route` is reached without' }]
    setting.report(problem('SC1038', message, serviceOrigin(setting, name), { notes }))
  }
  return {
    ...{ driver, order },
    ...(order === 'stop-first' && { reason: wanted.order === undefined && reason !== undefined ? reason : 'the manifest says so' }),
    timeoutSeconds: wanted.timeout_seconds ?? defaults.timeout_seconds,
    minReadySeconds: wanted.min_ready_seconds ?? defaults.min_ready_seconds,
    ...(wanted.min_ready_seconds !== undefined && { steadySeconds: wanted.min_ready_seconds }),
    ...(wanted.surge !== undefined && { surge: wanted.surge }),
    stopGraceSeconds: stopGrace(name, definition, setting),
    ...(minFreeBytes !== undefined && { minFreeBytes }),
  }
}

const allAtOnce = {
  recreate: 'replaces all containers of a host at once',
  'docker-rollout': 'starts as many new containers as there are old ones',
}

/** How many new containers stand beside the old ones of a host at once: Compose puts each in the place of another, the plugin doubles them all. */
function newBeside(replicas: number, { driver, surge = 1 }: RolloutConfig): number {
  if (driver === 'recreate') return 0
  return driver === 'docker-rollout' ? replicas : Math.min(replicas, surge)
}

/** Why a second container cannot start while the first one runs. */
function cannotRunTwice(definition: JsonObject, { variables, swarm }: Setting): string | undefined {
  // Nodes of a swarm that have a copy less can take one: what holds on one host does not hold there.
  if (swarm) return undefined
  if (definition['container_name'] !== undefined) return 'has a fixed `container_name`'
  const [port] = fixedHostPorts(definition, variables)
  if (port !== undefined) return `publishes host port ${port}`
  return definition['network_mode'] === 'host' ? 'uses the network of its host' : undefined
}

/** A node has a port of its own once; whoever has nodes to spare may say `start-first`. */
function portReason(definition: JsonObject, { swarm }: Setting): string | undefined {
  if (!swarm) return undefined
  if (definition['network_mode'] === 'host') return 'uses the network of its node'
  return takesHostPort(definition) ? 'takes a port of its node' : undefined
}

function dataReason(definition: JsonObject): string | undefined {
  const [source] = writableMounts(definition)
  return source === undefined ? undefined : `keeps data in \`${source}\``
}

/** Where the setting of a service stands that wins. */
function settingLocation(key: 'order' | 'surge', name: string, { loaded, environment, environmentName }: Setting) {
  const inEnvironment = ['environments', environmentName]
  if (own(environment.services, name)?.rollout[key]) return loaded.locate([...inEnvironment, 'services', name, 'rollout', key])
  if (own(loaded.config.services, name)?.rollout[key]) return loaded.locate(['services', name, 'rollout', key])
  return loaded.locate([...inEnvironment, 'rollout', key])
}

/** Whole seconds, as the Engine takes them. */
function stopGrace(name: string, definition: JsonObject, { compose, variables, report }: Setting): number {
  const written = definition['stop_grace_period']
  if (written === undefined) return defaultStopGraceSeconds
  const seconds = parseDuration(interpolate(String(written), variables).text)
  if (seconds !== undefined) return Math.ceil(seconds)
  const path = ['services', name, 'stop_grace_period']
  const message = `expected a duration such as \`30s\` in ${path.join('.')}, found ${foundText(written)}`
  report(problem('SC1043', message, compose.locate(path)))
  return defaultStopGraceSeconds
}

/** How hosts follow each other, for the whole environment. */
export function resolveFleet({ environment, environmentName, inventory, loaded, report }: Setting): FleetPolicy {
  const { canary, batch, on_failure: onFailure = 'rollback' } = environment.rollout
  const names = inventory.hosts.map(({ name }) => name)
  if (typeof canary === 'string' && names.length > 0 && !names.includes(canary)) {
    const location = loaded.locate(['environments', environmentName, 'rollout', 'canary'])
    report(problem('SC1027', `there is no host \`${canary}\` to go first`, location, { suggestion: nearest(canary, names) }))
  }
  return { ...(canary !== undefined && { canary }), ...(batch !== undefined && { batch }), onFailure }
}
