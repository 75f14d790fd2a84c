/** Where hooks may stand, and those of one environment. Pure. */
import { nearest } from '../../graph/nearest.ts'
import type { DatabaseTarget, Hook, Service } from '../contracts.ts'
import type { LoadedConfig } from './config.ts'
import { problem, type Report } from './diagnostic.ts'
import { parseDuration } from './duration.ts'
import type { JsonPath } from './json-path.ts'
import type { HookConfig } from './schema/hooks.ts'
import type { Setting } from './setting.ts'
import { listed } from './word-list.ts'

/** Kinds of task of a deploy, in the order in which they first come. */
const kinds = [
  'build',
  'push',
  'transfer',
  'render',
  'upload',
  'migrate_pre',
  'proxy',
  'rollout',
  'edge',
  'health',
  'migrate_post',
  'finalize',
]
/** By when the new image and the file it runs by can be on the host of a service. */
const inContainer = ['deploy', 'upload', 'migrate_pre', 'rollout', 'edge', 'health', 'migrate_post', 'finalize']
const points = [...['deploy', ...kinds].flatMap((kind) => [`before_${kind}`, `after_${kind}`]), 'after_failure']

type Point = Pick<Hook, 'point' | 'side' | 'around' | 'subject'>

/** Undefined for what is no point of a deploy. */
export function hookPoint(point: string): Point | undefined {
  const [, name = '', subject] = /^([^:]*)(?::(.+))?$/.exec(point) ?? []
  if (!points.includes(name)) return undefined
  const side = name.startsWith('before_') ? 'before' : 'after'
  const around = name.slice(side.length + 1)
  if (subject !== undefined && !kinds.includes(around)) return undefined
  return { point, side, around, ...(subject === undefined ? {} : { subject }) }
}

/** Of every environment: rules that need no Compose file. */
export function checkHooks(loaded: LoadedConfig, report: Report): void {
  checkEach(loaded.config.hooks, ['hooks'], loaded, report)
  for (const [name, environment] of Object.entries(loaded.config.environments)) {
    checkEach(environment.hooks, ['environments', name, 'hooks'], loaded, report)
    const top = loaded.config.hooks
    for (const [point, hook] of Object.entries(environment.hooks)) {
      if (hook !== false || Object.hasOwn(top, point)) continue
      const known = Object.keys(top)
      const notes = [{ message: known.length === 0 ? 'the manifest has no top-level `hooks`' : `\`hooks\` has ${listed(known)}` }]
      const at = loaded.locateKey(['environments', name, 'hooks', point])
      report(problem('SC1150', `there is no hook \`${point}\` to take away`, at, { suggestion: nearest(point, known), notes }))
    }
  }
}

function checkEach(hooks: Readonly<Record<string, HookConfig | false>>, from: JsonPath, loaded: LoadedConfig, report: Report): void {
  for (const [name, hook] of Object.entries(hooks)) {
    const at: JsonPath = [...from, name]
    const place = hookPoint(name)
    if (!place) {
      const suggestion = nearest(name, points)
      const notes = [{ message: `there is ${listed(points)}; those of a kind of task may name one: \`before_build:api\`` }]
      report(problem('SC1150', `\`${name}\` is no point of a deploy`, loaded.locateKey(at), { suggestion, notes }))
    } else if (hook !== false && hook.on !== undefined) checkContainer(place, hook, at, loaded, report)
  }
}

function checkContainer({ point, around, side }: Point, hook: HookConfig, at: JsonPath, { locate }: LoadedConfig, report: Report): void {
  const isTooEarly = !inContainer.includes(around) || (side === 'before' && (around === 'deploy' || around === 'upload'))
  if (isTooEarly) {
    const why = around === 'failure' ? 'after a failure nobody knows what is there' : 'the new release is not there yet'
    const notes = [{ message: `${why}: leave out \`on\`, and it runs on this machine` }]
    report(problem('SC1152', `\`${point}\` cannot run in a container of the release`, locate([...at, 'on']), { notes }))
  }
  if (hook.secrets.length > 0) {
    const notes = [
      { message: 'it has those of its service, and takes no others into a container: leave out `on`, and it runs on this machine' },
    ]
    report(problem('SC1152', 'a hook in a container cannot be given secrets', locate([...at, 'secrets']), { notes }))
  }
}

/** Those of the top level and those of the environment, which win; sorted by point. What they name must be there. */
export function resolveHooks(setting: Setting, services: readonly Service[], databases: readonly DatabaseTarget[]): readonly Hook[] {
  const { loaded, environment, environmentName, inventory, report } = setting
  const isLocal = inventory.hosts.length === 0
  const merged = { ...loaded.config.hooks, ...environment.hooks }
  const resolved: Hook[] = []
  for (const [name, config] of Object.entries(merged).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const isOwn = Object.hasOwn(environment.hooks, name)
    const at: JsonPath = isOwn ? ['environments', environmentName, 'hooks', name] : ['hooks', name]
    const place = hookPoint(name)
    if (config === false || !place) continue
    if (isLocal && place.around !== 'build') {
      if (isOwn) report(problem('SC1152', `\`${name}\` never comes: environment \`${environmentName}\` has no hosts`, loaded.locateKey(at)))
      continue
    }
    checkNames(place, config, at, isOwn)
    resolved.push(hookOf(place, config, loaded.locateKey(at)))
  }
  return resolved

  function checkNames({ around, subject }: Point, { on }: HookConfig, at: JsonPath, isOwn: boolean): void {
    const named = services.map((service) => service.name)
    if (on !== undefined && !named.includes(on)) {
      const notes = [{ message: `there is ${listed(named)}` }]
      const message = `there is no service \`${on}\` to run it in`
      report(problem('SC1151', message, loaded.locate([...at, 'on']), { suggestion: nearest(on, named), notes }))
    }
    if (subject === undefined) return
    const known = subjectsOf(around)
    // What stands at the top level may be about the hosts of another environment.
    if (
      known.includes(isOwn ? subject : (subject.split('@')[0] ?? '')) ||
      (!isOwn && !serviceKinds.includes(around) && !around.startsWith('migrate_'))
    )
      return
    const notes = [{ message: known.length === 0 ? `there is no ${around} in \`${environmentName}\`` : `there is ${listed(known)}` }]
    report(problem('SC1151', `there is no \`${around}:${subject}\``, loaded.locateKey(at), { suggestion: nearest(subject, known), notes }))
  }

  function subjectsOf(around: string): readonly string[] {
    switch (around) {
      case 'build':
      case 'push':
        return services.filter(({ build }) => build).map(({ name }) => name)
      case 'transfer':
      case 'rollout':
      case 'edge':
        return services.flatMap(({ name, hosts }) => [name, ...hosts.map((host) => `${name}@${host}`)])
      case 'migrate_pre':
        return databases.filter(({ strategy }) => strategy === 'pre_deploy').map(({ name }) => name)
      case 'migrate_post':
        return databases.filter(({ strategy }) => strategy === 'post_deploy').map(({ name }) => name)
      case 'render':
      case 'upload':
      case 'proxy':
        return inventory.hosts.map(({ name }) => name)
      default:
        return [environmentName]
    }
  }
}

const serviceKinds = ['build', 'push', 'transfer', 'rollout', 'edge']

function hookOf(place: Point, config: HookConfig, origin: Hook['origin']): Hook {
  const { command, on, env, secrets, timeout, on_failure: onFailure } = config
  return {
    ...place,
    command,
    ...(on === undefined ? {} : { on }),
    ...{ env, secrets, onFailure },
    timeoutMs: Math.round((parseDuration(timeout) ?? 0) * 1000),
    ...(origin ? { origin } : {}),
  }
}
