/**
 * How a service finds one that is not on its host: by variables, and by the name it would have there. What is needed from elsewhere
 * publishes its port, bound to its host's private address and to no other.
 */
import { isIP } from 'node:net'
import type { Diagnostic, Json, JsonObject } from '../../graph/types.ts'
import { stringsIn } from '../../tasks/rendering/json.ts'
import { variableNames } from '../../tasks/rendering/template.ts'
import type { HostAddress, HostReach } from '../contracts.ts'
import type { ComposeService } from './compose-file.ts'
import { problem, warning } from './diagnostic.ts'
import { isList, isObject, own } from './json-path.ts'
import { listeningPort, publishedAs } from './published-ports.ts'
import { type Setting, serviceOrigin } from './setting.ts'
import { listed } from './word-list.ts'

export interface CrossHost {
  /** The service's definition, with the port published that others need. */
  definition(service: ComposeService): JsonObject
  readonly reach: Readonly<Record<string, HostReach>>
}

interface Mutable extends HostReach {
  readonly variables: Record<string, string>
  readonly names: Record<string, Record<string, string>>
}

/** @param secretNames of variables that are the user's own. */
export function resolveCrossHost(
  placed: ReadonlyMap<string, readonly string[]>,
  external: ReadonlyMap<string, URL>,
  secretNames: readonly string[],
  setting: Setting,
): CrossHost {
  const { compose, inventory, variables } = setting
  const published = new Map<string, string>()
  const reach: Record<string, Mutable> = {}
  const taken = new Set([...Object.keys(variables), ...secretNames])
  const told = new Set<string>()
  const shared = usedNames(compose.topLevel)
  const services = compose.services.filter(({ name }) => placed.has(name))
  for (const host of inventory.hosts) {
    const here: Mutable = { variables: {}, names: {} }
    for (const service of services) {
      if (!placed.get(service.name)?.includes(host.name)) continue
      const used = new Set([...usedNames(service.definition), ...shared].filter((name) => !taken.has(name)))
      for (const [name, value] of [...external].flatMap(([other, url]) => urlVariables(other, url)))
        if (used.has(name)) here.variables[name] = value
      for (const other of services) if (other.name !== service.name) connect(service, other, host, used, here)
    }
    if (Object.keys(here.variables).length + Object.keys(here.names).length > 0) reach[host.name] = here
  }
  checkPorts(published, placed, setting)
  return {
    reach,
    definition: ({ name, definition }) => {
      const entry = published.get(name)
      if (entry === undefined) return definition
      return { ...definition, ports: [...(isList(definition['ports']) ? definition['ports'] : []), entry] }
    },
  }

  /** What `service` on `host` is told of another service. */
  function connect(service: ComposeService, other: ComposeService, host: HostAddress, used: ReadonlySet<string>, here: Mutable): void {
    const [hostName, portName] = [`${upperSnake(other.name)}_HOST`, `${upperSnake(other.name)}_PORT`]
    const asks = used.has(hostName) || used.has(portName)
    const depends = isObject(service.definition['depends_on']) && Object.hasOwn(service.definition['depends_on'], other.name)
    if (!asks && !depends) return
    const others = placed.get(other.name) ?? []
    const port =
      own(setting.loaded.config.services, other.name)?.port ?? listeningPort(other.definition, variables) ?? healthPort(other.name)
    const say = (address: string, at: string | number | undefined) => {
      if (used.has(hostName)) here.variables[hostName] = address
      if (used.has(portName) && at !== undefined) here.variables[portName] = String(at)
    }
    const [first, second] = others
    if (used.has(portName) && port === undefined) noPort(service.name, other.name, true)
    else if (others.includes(host.name)) say(other.name, port)
    else if (second !== undefined) ambiguous(service.name, other.name, others, asks, host.name)
    else if (first !== undefined) {
      const address = addressOf(
        inventory.hosts.find(({ name }) => name === first),
        other.name,
        asks,
      )
      if (address === undefined) return
      here.names[service.name] = { ...here.names[service.name], [other.name]: address }
      if (port === undefined) noPort(service.name, other.name, asks)
      else say(address, publish(other, address, port))
    }
  }

  /** @returns the port of the host that leads to it: the user's own where there is one. */
  function publish({ name, definition }: ComposeService, address: string, port: number): number {
    const own = publishedAs(definition, port, variables)
    const isOpen = own !== undefined || definition['network_mode'] === 'host'
    if (!isOpen) published.set(name, `${isIP(address) === 6 ? `[${address}]` : address}:${port}:${port}`)
    return own ?? port
  }

  function healthPort(name: string): number | undefined {
    return own(setting.environment.services, name)?.health?.port ?? own(setting.loaded.config.services, name)?.health?.port
  }

  function noPort(service: string, other: string, asks: boolean): void {
    const note = `set \`services.${other}.port\`, or \`expose\` in the Compose file`
    tell(
      `port ${other}`,
      asks && 'SC1047',
      `service \`${service}\` needs \`${other}\`, and nothing says at which port that listens`,
      note,
      other,
    )
  }

  function ambiguous(service: string, other: string, hosts: readonly string[], asks: boolean, host: string): void {
    const message = `service \`${service}\` on \`${host}\` needs \`${other}\`, which runs on ${listed(hosts)}: nothing says on which it is to be asked`
    const note = `put \`${other}\` on one host, or on every host of \`${service}\`; or reach it through the edge`
    tell(`hosts ${service} ${other}`, asks && 'SC1045', message, note, service)
  }

  /** Engines publish on addresses, not on names. */
  function addressOf(host: HostAddress | undefined, service: string, asks: boolean): string | undefined {
    const address = host?.privateAddress ?? host?.address ?? ''
    if (isIP(address) !== 0) return address
    const message = `service \`${service}\` is needed on other hosts, and \`${address}\` is not an IP address it can be published on`
    tell(`address ${host?.name}`, asks && 'SC1048', message, 'give the host a `private_address`', service)
    return undefined
  }

  /** An error for what asks by a variable; what only depends on it may never ask at all. The same is found for every host, and told once. */
  function tell(what: string, code: Diagnostic['code'] | false, message: string, note: string, service: string): void {
    if (told.has(what)) return
    told.add(what)
    const [location, notes] = [serviceOrigin(setting, service), [{ message: note }]]
    setting.report(code ? problem(code, message, location, { notes }) : warning('SC1065', message, location, { notes }))
  }
}

/** Two services of one host cannot have one port of its address. */
function checkPorts(published: ReadonlyMap<string, string>, placed: ReadonlyMap<string, readonly string[]>, setting: Setting): void {
  const owners = new Map<string, string>()
  for (const [service, entry] of published) {
    const at = `${placed.get(service)?.[0]} ${entry.slice(0, entry.lastIndexOf(':'))}`
    const other = owners.get(at)
    owners.set(at, service)
    if (other === undefined) continue
    const message = `services \`${other}\` and \`${service}\` are both needed on other hosts, and both listen at the same port`
    const notes = [{ message: `publish one of them at another port of the host, in \`ports\` of the Compose file` }]
    setting.report(problem('SC1049', message, serviceOrigin(setting, service), { notes }))
  }
}

/** Variables a definition refers to, also by a bare name in `environment`. */
function usedNames(definition: JsonObject): readonly string[] {
  const environment: Json = definition['environment'] ?? null
  const bare = isObject(environment) ? Object.keys(environment).filter((name) => environment[name] === null) : []
  return [...stringsIn(definition).flatMap((text) => variableNames(text)), ...bare]
}

const usualPorts: Readonly<Record<string, number>> = {
  ...{ 'http:': 80, 'https:': 443, 'postgres:': 5432, 'postgresql:': 5432 },
  ...{ 'mysql:': 3306, 'redis:': 6379, 'rediss:': 6379, 'amqp:': 5672, 'mongodb:': 27017 },
}

function urlVariables(service: string, url: URL): readonly (readonly [string, string])[] {
  const name = upperSnake(service)
  const port = url.port === '' ? usualPorts[url.protocol] : url.port
  const text = url.pathname === '/' ? url.href.replace(/\/$/, '') : url.href
  return [
    [`${name}_HOST`, url.hostname.replace(/^\[|\]$/g, '')],
    [`${name}_URL`, text],
    ...(port === undefined ? [] : [[`${name}_PORT`, String(port)] as const]),
  ]
}

function upperSnake(name: string): string {
  return name.toUpperCase().replace(/[^A-Z0-9]/g, '_')
}
