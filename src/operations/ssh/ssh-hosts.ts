/** Which hosts a word on the command line means: a host's name, or a role. Pure. */
import { nearest } from '../../../graph/nearest.ts'
import type { Checked } from '../../../graph/types.ts'
import type { HostAddress } from '../../contracts.ts'

/** A name wins over a role of the same name. Sorted by name; never empty. */
export function hostsCalled(word: string, hosts: readonly HostAddress[]): Checked<readonly HostAddress[]> {
  const named = hosts.filter(({ name }) => name === word)
  const found = named.length > 0 ? named : hosts.filter(({ roles }) => roles.includes(word))
  if (found.length > 0) return { ok: true, value: [...found].sort((a, b) => (a.name < b.name ? -1 : 1)) }
  const names = hosts.map(({ name }) => name).sort()
  const roles = [...new Set(hosts.flatMap((host) => host.roles))].sort()
  const suggestion = nearest(word, [...names, ...roles])
  const known = [`hosts: ${names.join(', ') || 'none'}`, ...(roles.length > 0 ? [`roles: ${roles.join(', ')}`] : [])].join('; ')
  const message = `no host and no role is called \`${word}\`: there are ${known}`
  return { ok: false, diagnostics: [{ code: 'SC3160', severity: 'error', message, ...(suggestion === undefined ? {} : { suggestion }) }] }
}
