/** Rows of the Engine API's container list (https://docs.docker.com/reference/api/engine/, `ContainerSummary`) as containers. Pure. */
import type { Container } from '../../tasks/ports.ts'

/** Labels on every container we create. */
export const containerLabels = {
  project: 'stagecraft.project',
  environment: 'stagecraft.env',
  service: 'stagecraft.service',
  hash: 'stagecraft.hash',
  routePort: 'stagecraft.port',
} as const

/** The fields we read; engines leave some out. */
export interface ContainerRow {
  readonly Id: string
  readonly Names?: readonly string[] | null
  readonly Image?: string
  readonly State?: string
  readonly Status?: string
  /** API 1.52 and later. */
  readonly Health?: { readonly Status?: string } | null
  readonly Labels?: Readonly<Record<string, string>> | null
  readonly Ports?: readonly { readonly PrivatePort: number; readonly PublicPort?: number }[] | null
  readonly NetworkSettings?: { readonly Networks?: Readonly<Record<string, { readonly IPAddress?: string } | null>> | null } | null
}

/** The `filters` parameter that selects one environment's containers. */
export function environmentFilter(project: string, environment: string): Readonly<Record<string, readonly string[]>> {
  return { label: [`${containerLabels.project}=${project}`, `${containerLabels.environment}=${environment}`] }
}

/** Sorted by name, so that two looks at the same host compare equal. */
export function containersOf(rows: readonly ContainerRow[]): readonly Container[] {
  return rows.map(containerOf).sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

function containerOf(row: ContainerRow): Container {
  const labels = row.Labels ?? {}
  const state = containerState(row.State)
  const address = state === 'running' ? addressOf(row, labels['com.docker.compose.project']) : undefined
  const routePort = Number(labels[containerLabels.routePort] ?? Number.NaN)
  return {
    id: row.Id,
    // Links of other containers add names with a second slash; the container's own has one.
    name: (row.Names?.find((name) => name.lastIndexOf('/') === 0) ?? row.Names?.[0] ?? row.Id).replace(/^\//, ''),
    service: labels[containerLabels.service] ?? '',
    hash: labels[containerLabels.hash] ?? '',
    image: row.Image ?? '',
    state,
    health: healthOf(row),
    ports: portsOf(row),
    ...(address === undefined ? {} : { address }),
    ...(Number.isInteger(routePort) && { routePort }),
  }
}

const states: readonly Container['state'][] = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead']

/** A word we do not know is not a running container. */
export function containerState(word: string | undefined): Container['state'] {
  return states.find((state) => state === word) ?? 'dead'
}

/** From the API's word: `none` and an absent health check are the same. */
export function healthWord(word: string | undefined): Container['health'] {
  return word === 'starting' || word === 'healthy' || word === 'unhealthy' ? word : 'none'
}

/** Engines before API 1.52 tell only in the text for people: `Up 5 minutes (healthy)`, `Up 2 seconds (health: starting)`. */
function healthOf(row: ContainerRow): Container['health'] {
  if (row.Health?.Status !== undefined) return healthWord(row.Health.Status)
  return healthWord(/\((?:health: )?(starting|healthy|unhealthy)\)$/.exec(row.Status ?? '')?.[1])
}

/** A port published for IPv4 and IPv6 is listed twice. */
function portsOf(row: ContainerRow): Container['ports'] {
  const published = (row.Ports ?? []).flatMap((port) =>
    port.PublicPort === undefined ? [] : [{ container: port.PrivatePort, host: port.PublicPort }],
  )
  const distinct = new Map(published.map((port) => [`${port.container}:${port.host}`, port]))
  return [...distinct.values()].sort((a, b) => a.container - b.container || a.host - b.host)
}

/** On Compose's default network of the project when it is on it, else on the first network by name. */
function addressOf(row: ContainerRow, composeProject: string | undefined): string | undefined {
  const networks = Object.entries(row.NetworkSettings?.Networks ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  const own = networks.find(([name]) => name === `${composeProject}_default`) ?? networks.find(([, network]) => network?.IPAddress)
  return own?.[1]?.IPAddress || undefined
}

/** The Engine writes year 1 for what never was. */
export function moment<Key extends string>(key: Key, time: string | undefined): { readonly [name in Key]?: string } {
  return time === undefined || time === '' || time.startsWith('0001-') ? {} : ({ [key]: time } as { readonly [name in Key]: string })
}
