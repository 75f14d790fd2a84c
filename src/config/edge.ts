/** Who answers for an environment's services, and where users find each of them. */
import type { DeployedEdge, Service, ServiceRoute } from '../contracts.ts'
import { defaultEdgeProvider } from '../providers/edge/index.ts'
import type { EdgeConfig } from '../providers/edge/settings.ts'
import type { LoadedConfig } from './config.ts'
import { problem } from './diagnostic.ts'
import { isList, own } from './json-path.ts'
import { containerPorts } from './published-ports.ts'
import type { EnvironmentConfig } from './schema/environments.ts'
import type { RouteConfig } from './schema/routes.ts'
import { type Setting, serviceOrigin } from './setting.ts'
import { listed } from './word-list.ts'

/** Hosts with this role are where users come in. */
export const gatewayRole = 'gateway'

/** Undefined when nothing is routed. */
export function resolveEdge(setting: Setting, services: readonly Service[]): DeployedEdge | undefined {
  const routed = services.filter(({ route }) => route !== undefined)
  if (routed.length === 0) return undefined
  checkOverlaps(setting, routed)
  const { environment, inventory, loaded } = setting
  const { id, config } = selected(loaded)
  const named = inventory.hosts.filter(({ roles }) => roles.includes(gatewayRole)).map(({ name }) => name)
  const gateways = named.length > 0 ? named : [...new Set(routed.flatMap(({ hosts }) => hosts))]
  const acmeEmailEnv = environment.edge.acme_email_env ?? environment.traefik.acme_email_env ?? config.acme_email_env
  return {
    provider: id,
    image: config.image,
    gateways: gateways.sort(),
    innerPort: config.inner_port,
    innerAddresses: addresses(setting),
    ...(acmeEmailEnv !== undefined && { acmeEmailEnv }),
    ...(config.acme_server !== undefined && { acmeServer: config.acme_server }),
  }
}

export function resolveRoute(name: string, definition: Service['definition'], setting: Setting): ServiceRoute | undefined {
  const { environment, loaded } = setting
  const override = own(environment.services, name)?.route
  const given = override ?? own(loaded.config.services, name)?.route
  if (given === undefined || given === false || setting.inventory.hosts.length === 0) return undefined
  const at = override === undefined ? ['services', name, 'route'] : ['environments', setting.environmentName, 'services', name, 'route']
  const location = loaded.locate(at)
  if (definition['network_mode'] !== undefined) {
    const message = `service \`${name}\` has a \`route\` and \`network_mode\`: the proxy reaches containers through a network of theirs`
    setting.report(problem('SC1141', message, location))
  }
  const { id, servesFiles } = selected(loaded)
  if (given.assets && !servesFiles) {
    setting.report(
      problem('SC1142', `\`${id}\` cannot answer from files, so \`assets\` needs \`edge: caddy\``, loaded.locateKey([...at, 'assets']), {
        suggestion: 'edge: caddy',
      }),
    )
  }
  const inManifest = own(loaded.config.services, name)
  const port =
    given.port ?? inManifest?.port ?? own(environment.services, name)?.health?.port ?? inManifest?.health?.port ?? onlyPort(definition)
  if (port === undefined) {
    const notes = [{ message: `say it with \`services.${name}.port\`, or in its \`route\`` }]
    setting.report(problem('SC1140', `the port of service \`${name}\` is not known: its \`route\` needs one`, location, { notes }))
  }
  return {
    domains: given.domains,
    redirects: given.redirect,
    path: given.path,
    port: port ?? 0,
    tls: tlsOf(given, environment),
    hsts: given.hsts ?? environment.edge.hsts ?? environment.traefik.hsts ?? false,
    ...(given.basic_auth !== undefined && { basicAuth: given.basic_auth }),
    drainSeconds: given.drain_seconds,
    ...(given.assets && { assets: { path: given.assets.path, directory: given.assets.directory, keepMinutes: given.assets.keep_minutes } }),
  }
}

function tlsOf({ tls }: RouteConfig, environment: EnvironmentConfig): ServiceRoute['tls'] {
  const mode = tls ?? environment.edge.tls ?? environment.traefik.mode ?? 'acme'
  return typeof mode === 'string' ? { mode } : { mode: 'files', ...mode }
}

function selected({ config, registries }: LoadedConfig) {
  const block = config.edge
  const provider = registries.edge.get(block?.provider ?? defaultEdgeProvider)
  const settings = (block?.providers[provider.id] ?? provider.config.parse({})) as EdgeConfig
  return { id: provider.id, config: settings, servesFiles: provider.servesFiles }
}

/** What the Compose file says, when it says one thing only. */
function onlyPort(definition: Service['definition']): number | undefined {
  const exposed = isList(definition['expose']) ? definition['expose'].map((port) => Number.parseInt(String(port), 10)) : []
  const found = [...new Set([...exposed, ...containerPorts(definition)])]
  return found.length === 1 && Number.isInteger(found[0]) ? found[0] : undefined
}

/** Two services cannot answer the same requests. */
function checkOverlaps(setting: Setting, services: readonly Service[]): void {
  const taken = new Map<string, string>()
  for (const service of services) {
    const { domains = [], redirects = [], path = '/' } = service.route ?? {}
    for (const place of [...domains.map((domain) => `${domain}${path}`), ...redirects.map((domain) => `${domain}/`)]) {
      const other = taken.get(place)
      if (other === undefined) taken.set(place, service.name)
      else
        setting.report(
          problem('SC1143', `services \`${other}\` and \`${service.name}\` both answer \`${place}\``, serviceOrigin(setting, service.name)),
        )
    }
  }
}

function addresses({ environment, environmentName, inventory, loaded, report }: Setting): Record<string, string> {
  const given = environment.edge.inner_addresses ?? {}
  const names = inventory.hosts.map(({ name }) => name)
  for (const name of Object.keys(given).filter((candidate) => !names.includes(candidate))) {
    const location = loaded.locateKey(['environments', environmentName, 'edge', 'inner_addresses', name])
    report(problem('SC1144', `there is no host \`${name}\`, only ${listed(names)}`, location))
  }
  return Object.fromEntries(
    inventory.hosts.map(({ name, address, privateAddress }) => [name, own(given, name) ?? privateAddress ?? address]),
  )
}
