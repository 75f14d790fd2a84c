/** Services that somebody else runs in an environment: nothing of them is deployed, but others are told where they are. */
import { problem } from './diagnostic.ts'
import { type JsonPath, own } from './json-path.ts'
import type { EnvironmentConfig } from './schema/environments.ts'
import { type Setting, serviceOrigin } from './setting.ts'

type Override = EnvironmentConfig['services'][string]

/** What an environment changes about a service. `api` and `web` may also stand in the environment itself. */
export function overrideOf(environment: EnvironmentConfig, name: string): Override | undefined {
  const nested = own(environment.services, name)
  const flat = name === 'api' || name === 'web' ? environment[name] : undefined
  return nested === undefined && flat === undefined ? undefined : { rollout: {}, ...flat, ...nested }
}

/** Names of all services that an environment says something about. */
export function overridden(environment: EnvironmentConfig): readonly string[] {
  const flat = (['api', 'web'] as const).filter((name) => environment[name] !== undefined)
  return [...new Set([...Object.keys(environment.services), ...flat])]
}

/** The URL of every external service, by name. */
export function externalServices(setting: Pick<Setting, 'environment' | 'environmentName' | 'loaded' | 'compose' | 'report'>) {
  const found = new Map<string, URL>()
  for (const name of overridden(setting.environment)) {
    const { mode, url } = overrideOf(setting.environment, name) ?? {}
    if (mode === 'external' && url !== undefined && URL.canParse(url)) found.set(name, new URL(url))
    else if (mode === 'external') {
      const what = url === undefined ? 'has no `url`' : `has a \`url\` that is none`
      setting.report(problem('SC1046', `service \`${name}\` is external and ${what}`, location(name, setting)))
    } else if (url !== undefined) {
      const notes = [{ message: 'add `mode: external`, or leave `url` out' }]
      setting.report(problem('SC1046', `service \`${name}\` has a \`url\` but is deployed here`, location(name, setting), { notes }))
    }
  }
  return found
}

function location(name: string, setting: Pick<Setting, 'environment' | 'environmentName' | 'loaded' | 'compose'>) {
  const at: JsonPath = ['environments', setting.environmentName]
  if (own(setting.environment.services, name) !== undefined) return setting.loaded.locateKey([...at, 'services', name])
  return setting.environment.api || setting.environment.web ? setting.loaded.locateKey([...at, name]) : serviceOrigin(setting, name)
}
