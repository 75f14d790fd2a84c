/** Which hosts and services words on a command line name: the one place that decides it, for deploys and for operations. Pure. */
import { nearest } from '../../graph/nearest.ts'
import type { Diagnostic } from '../../graph/types.ts'
import type { Deployment, HostAddress } from '../contracts.ts'

export interface Named {
  readonly host?: readonly string[] | undefined
  readonly role?: readonly string[] | undefined
  readonly service?: readonly string[] | undefined
}

/** Hosts that are all of what is named: one of these hosts, with one of these roles; what is left out selects all. In the inventory's order. */
export function hostsNamed({ hosts }: Deployment, { host, role }: Named): readonly HostAddress[] {
  return hosts.filter(
    ({ name, roles }) => (host === undefined || host.includes(name)) && (role === undefined || roles.some((has) => role.includes(has))),
  )
}

/** Words that are no name of anything. Empty when all are. */
export function unknownNames({ hosts, services }: Deployment, { host, role, service }: Named): readonly Diagnostic[] {
  return [
    ...unknown('host', host, namesOf(hosts)),
    ...unknown('role', role, [...new Set(hosts.flatMap(({ roles }) => roles))].sort()),
    ...unknown('service', service, namesOf(services)),
  ]
}

function unknown(what: string, words: readonly string[] | undefined, known: readonly string[]): Diagnostic[] {
  return (words ?? [])
    .filter((word) => !known.includes(word))
    .map((word) => {
      const suggestion = nearest(word, known)
      const there = known.length === 0 ? `there is no ${what}` : `expected one of ${known.join(', ')}`
      const message = `no ${what} is called \`${word}\`: ${there}`
      return { code: 'SC3160', severity: 'error', message, ...(suggestion === undefined ? {} : { suggestion }) }
    })
}

function namesOf(things: readonly { readonly name: string }[]): string[] {
  return things.map(({ name }) => name).sort()
}
