/** Which hosts and services an operation is about: `--host`, `--role` and `--service`, the same for every command. Pure. */
import { z } from 'zod'
import { nearest } from '../../graph/nearest.ts'
import type { Checked, Diagnostic } from '../../graph/types.ts'
import type { Deployment, HostAddress } from '../contracts.ts'

/** Flags of every operation; spread them into a command's options. */
export const selectionFlags = {
  host: z.array(z.string()).optional().describe('only these hosts').meta({ value: '<a,b>' }),
  role: z.array(z.string()).optional().describe('only hosts with one of these roles').meta({ value: '<a,b>' }),
  service: z.array(z.string()).optional().describe('only these services').meta({ value: '<a,b>' }),
} as const

export interface Selection {
  readonly host?: readonly string[] | undefined
  readonly role?: readonly string[] | undefined
  readonly service?: readonly string[] | undefined
}

export interface Selected {
  /** Sorted by name; never empty. */
  readonly hosts: readonly HostAddress[]
  /** Undefined: every service, also those that only hosts know. */
  readonly services?: readonly string[]
}

/**
 * Hosts of one of the roles that are also among the hosts; each kind that is left out selects all.
 * @param placed only hosts that a selected service is to run on. What it left behind elsewhere is then not seen.
 */
export function select(deployment: Deployment, selection: Selection, placed = false): Checked<Selected> {
  const { hosts, services, environment } = deployment
  if (hosts.length === 0) {
    const message = `environment \`${environment}\` has no hosts: there is nothing to look at`
    return { ok: false, diagnostics: [{ code: 'SC3162', severity: 'error', message }] }
  }
  const roles = [...new Set(hosts.flatMap((host) => host.roles))].sort()
  const diagnostics = [
    ...unknown('host', selection.host, names(hosts)),
    ...unknown('role', selection.role, roles),
    ...unknown('service', selection.service, names(services)),
  ]
  if (diagnostics.length > 0) return { ok: false, diagnostics }
  const homes = new Set(services.filter(({ name }) => selection.service?.includes(name)).flatMap((service) => service.hosts))
  const chosen = hosts.filter(
    ({ name, roles }) =>
      (selection.host === undefined || selection.host.includes(name)) &&
      (selection.role === undefined || roles.some((role) => selection.role?.includes(role))) &&
      (!placed || selection.service === undefined || homes.has(name)),
  )
  if (chosen.length === 0) {
    const message = `no host of \`${environment}\` is all of what was asked for: ${asked(selection)}`
    return { ok: false, diagnostics: [{ code: 'SC3161', severity: 'error', message }] }
  }
  return {
    ok: true,
    value: { hosts: chosen, ...(selection.service === undefined ? {} : { services: [...new Set(selection.service)].sort() }) },
  }
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

function asked({ host, role, service }: Selection): string {
  const part = (flag: string, words: readonly string[] | undefined) => (words === undefined ? [] : [`--${flag} ${words.join(',')}`])
  return [...part('host', host), ...part('role', role), ...part('service', service)].join(' ')
}

function names(things: readonly { readonly name: string }[]): string[] {
  return things.map(({ name }) => name).sort()
}
