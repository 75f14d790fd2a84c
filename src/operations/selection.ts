/** Which hosts and services an operation is about: `--host`, `--role` and `--service`, the same for every command. Pure. */
import { z } from 'zod'
import type { Checked } from '../../graph/types.ts'
import type { Deployment, HostAddress } from '../contracts.ts'
import { hostsNamed, unknownNames } from '../session/selected-hosts.ts'

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
  const diagnostics = unknownNames(deployment, selection)
  if (diagnostics.length > 0) return { ok: false, diagnostics }
  const homes = new Set(services.filter(({ name }) => selection.service?.includes(name)).flatMap((service) => service.hosts))
  const chosen = hostsNamed(deployment, selection).filter(({ name }) => !placed || selection.service === undefined || homes.has(name))
  if (chosen.length === 0) {
    const message = `no host of \`${environment}\` is all of what was asked for: ${asked(selection)}`
    return { ok: false, diagnostics: [{ code: 'SC3161', severity: 'error', message }] }
  }
  return {
    ok: true,
    value: { hosts: chosen, ...(selection.service === undefined ? {} : { services: [...new Set(selection.service)].sort() }) },
  }
}

function asked({ host, role, service }: Selection): string {
  const part = (flag: string, words: readonly string[] | undefined) => (words === undefined ? [] : [`--${flag} ${words.join(',')}`])
  return [...part('host', host), ...part('role', role), ...part('service', service)].join(' ')
}
