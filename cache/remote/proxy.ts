/** Which proxy stands between this machine and a server, by the variables that curl, git and Go read. Pure. */
import { BlockList, isIP } from 'node:net'

type Env = Readonly<Record<string, string | undefined>>

/**
 * `HTTPS_PROXY` or `HTTP_PROXY`, as the server's address has it, else `ALL_PROXY`, each in small letters first; undefined when there is none,
 * `NO_PROXY` names the server, or it is this machine.
 * @throws Error for a value that is no address, and for a proxy that speaks anything but HTTP. No password is in its message.
 */
export function proxyFor({ protocol, hostname, port }: URL, env: Env): URL | undefined {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (isThisMachine(host) || isExcepted(host, port || (protocol === 'https:' ? '443' : '80'), variable(env, 'NO_PROXY')?.value ?? ''))
    return undefined
  const found = variable(env, protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY') ?? variable(env, 'ALL_PROXY')
  if (found === undefined) return undefined
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(found.value) ? found.value : `http://${found.value}`
  const proxy = URL.canParse(text) ? new URL(text) : undefined
  if (proxy === undefined)
    throw new Error(`\`${found.name}\` is not the address of a proxy: expected one such as http://proxy.example.com:3128`)
  if (proxy.protocol !== 'http:' && proxy.protocol !== 'https:')
    throw new Error(
      `\`${found.name}\` names a proxy that speaks \`${proxy.protocol.slice(0, -1)}\`: only http and https proxies are supported`,
    )
  return proxy
}

/** Value of the `Proxy-Authorization` header, when the proxy's address holds a user. */
export function proxyAuthorization({ username, password }: URL): string | undefined {
  if (username === '') return undefined
  return `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`
}

function variable(env: Env, name: string): { readonly name: string; readonly value: string } | undefined {
  for (const spelled of [name.toLowerCase(), name]) {
    const value = env[spelled]?.trim() ?? ''
    if (value !== '') return { name: spelled, value }
  }
  return undefined
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

/** Names count with all below them, addresses alone or as networks (`192.0.2.0/24`); `host:port` for one port; `*` for all. */
function isExcepted(host: string, port: string, list: string): boolean {
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean)
    .some((entry) => {
      if (entry === '*') return true
      if (entry.includes('/')) return isInNetwork(host, entry)
      const [, name = entry, only] = /^(.*[^:]):(\d+)$/.exec(isIP(entry) === 6 ? '' : entry) ?? []
      if (only !== undefined && only !== port) return false
      const bare = name.replace(/^\[|\]$/g, '').replace(/^\*?\.+/, '')
      return host === bare || (isIP(host) === 0 && host.endsWith(`.${bare}`))
    })
}

function isInNetwork(host: string, network: string): boolean {
  const [address = '', bits = ''] = network.split('/')
  const version = isIP(address)
  if (version === 0 || isIP(host) !== version || !/^\d+$/.test(bits) || Number(bits) > (version === 4 ? 32 : 128)) return false
  const type = version === 4 ? 'ipv4' : 'ipv6'
  const networks = new BlockList()
  networks.addSubnet(address, Number(bits), type)
  return networks.check(host, type)
}
