/** `[user@]address[:port]`, an IPv6 address with a port in brackets. */
export interface ParsedAddress {
  readonly user?: string
  readonly address: string
  readonly port?: number
}

/** Host names and IPv4 addresses; nothing that a command line could take for an option. */
const hostName = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?$/
const ipv6 = /^[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9]+)?$/
export const userName = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/

export function isAddress(text: string): boolean {
  return hostName.test(text) || ipv6.test(text)
}

/** @returns undefined when the text is not of that form. */
export function parseHostAddress(text: string): ParsedAddress | undefined {
  const at = text.indexOf('@')
  const user = at === -1 ? undefined : text.slice(0, at)
  const rest = text.slice(at + 1)
  const match = ipv6.test(rest) ? [rest, rest] : /^(?:\[([^\]]+)\]|([^:[\]]+))(?::([0-9]{1,5}))?$/.exec(rest)
  const address = match?.[1] ?? match?.[2]
  const port = match?.[3] === undefined ? undefined : Number(match[3])
  if (address === undefined || !isAddress(address)) return undefined
  if (user !== undefined && !userName.test(user)) return undefined
  if (port !== undefined && (port < 1 || port > 65535)) return undefined
  return { ...(user !== undefined && { user }), address, ...(port !== undefined && { port }) }
}

/**
 * `[user@]address[:port]`, several with commas between; also as `ssh://` addresses, as ssh_config(5) has them. `none` is no machine at all.
 * Undefined for what is neither.
 */
export function parseJumps(text: string): readonly ParsedAddress[] | undefined {
  if (text.trim().toLowerCase() === 'none') return []
  const jumps = text.split(',').map((part) => parseHostAddress(part.trim().replace(/^ssh:\/\//, '')))
  return jumps.every((jump) => jump !== undefined) ? jumps : undefined
}
