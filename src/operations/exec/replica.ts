/** Which container of a service an operation is about. Pure. */
import type { Container } from '../../../tasks/ports.ts'

export interface Replica {
  readonly host: string
  readonly container: Container
}

/** The number Compose gave it, at the end of its name; undefined for one that has a name of its own. */
export function replicaNumber({ name }: Pick<Container, 'name'>): number | undefined {
  const digits = /-(\d+)$/.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** Running ones of a service: by host, then by number. */
export function runningReplicas(
  looks: readonly { readonly host: string; readonly containers: readonly Container[] }[],
  service: string,
): readonly Replica[] {
  const found = looks.flatMap(({ host, containers }) =>
    containers.filter((one) => one.service === service && one.state === 'running').map((container) => ({ host, container })),
  )
  return found.sort((a, b) => compare(a.host, b.host) || number(a) - number(b) || compare(a.container.name, b.container.name))
}

/** The first with that number, or the first at all. */
export function chooseReplica(replicas: readonly Replica[], wanted: number | undefined): Replica | undefined {
  return wanted === undefined ? replicas[0] : replicas.find(({ container }) => replicaNumber(container) === wanted)
}

function number({ container }: Replica): number {
  return replicaNumber(container) ?? 0
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
