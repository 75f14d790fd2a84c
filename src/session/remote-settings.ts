/** Whether and how this run shares results: the manifest's word, and the environment's, which wins. Pure. */
import type { Checked, Diagnostic } from '../../graph/types.ts'
import { type CacheSettings, type RemoteSettings, remoteDefaults } from '../config/cache-settings.ts'
import { type AddressCredentials, parseRemoteAddress, type RemoteAddress, type RemoteMode, remoteModes } from '../config/remote-address.ts'

/** How the remote cache is used in this run. Holds secrets: for nobody's eyes. */
export interface RemoteUse {
  readonly address: RemoteAddress
  readonly mode: RemoteMode
  readonly timeoutMs: number
  readonly maxWaitMs: number
  /** The first signs, all are accepted. */
  readonly keys: readonly string[]
  readonly token?: string
  readonly credentials?: AddressCredentials
}

type Env = Readonly<Record<string, string | undefined>>

/** Shorter ones can be tried out. */
const shortestKey = 16

/** Undefined when results are not shared. Nothing of a value that may be secret is in a diagnostic. */
export function remoteUse(settings: CacheSettings, env: Env): Checked<RemoteUse | undefined> {
  const problems: Diagnostic[] = []
  const report = (code: Diagnostic['code'], message: string): void => void problems.push({ code, severity: 'error', message })
  const where = whereItIs(settings, env, report)
  if (problems.length > 0) return { ok: false, diagnostics: problems }
  if (where === undefined) return { ok: true, value: undefined }
  const mode = modeOf(where.mode, env, report)
  const keys = keysOf(env, report)
  const token = env['STAGECRAFT_REMOTE_CACHE_TOKEN']?.trim() || undefined
  if (token !== undefined && /[^\x21-\x7e]/.test(token))
    report('SC5110', '`STAGECRAFT_REMOTE_CACHE_TOKEN` holds characters that no token has')
  if (token !== undefined && where.credentials)
    report('SC5110', '`STAGECRAFT_REMOTE_CACHE_TOKEN` is set, and `STAGECRAFT_REMOTE_CACHE` holds a password: expected one of them')
  if (problems.length > 0) return { ok: false, diagnostics: problems }
  const { address, timeoutMs, maxWaitMs, credentials } = where
  return {
    ok: true,
    value: { address, mode, timeoutMs, maxWaitMs, keys, ...(token !== undefined && { token }), ...(credentials && { credentials }) },
  }
}

type Where = RemoteSettings & { readonly credentials?: AddressCredentials }
type Say = (code: Diagnostic['code'], message: string) => void

function whereItIs({ remote, registry }: CacheSettings, env: Env, report: Say): Where | undefined {
  const given = env['STAGECRAFT_REMOTE_CACHE']?.trim() ?? ''
  if (given === '') return remote
  if (given === 'off') return undefined
  const parsed = parseRemoteAddress(given, registry)
  if (!parsed.ok) {
    report('SC5110', `\`STAGECRAFT_REMOTE_CACHE\`: the address ${parsed.problem}; or \`off\``)
    return undefined
  }
  const { address, credentials } = parsed
  return { ...remoteDefaults, ...remote, address, ...(credentials && { credentials }) }
}

function modeOf(manifest: RemoteMode | undefined, env: Env, report: Say): RemoteMode {
  const given = env['STAGECRAFT_REMOTE_CACHE_MODE']?.trim() ?? ''
  const mode = remoteModes.find((one) => one === given)
  if (given !== '' && mode === undefined)
    report('SC5110', `\`STAGECRAFT_REMOTE_CACHE_MODE\` is \`${given.slice(0, 40)}\`: expected \`read\` or \`read-write\``)
  return mode ?? manifest ?? (isContinuousIntegration(env) ? 'read-write' : 'read')
}

/** As every CI service sets it. */
function isContinuousIntegration(env: Env): boolean {
  return !['', '0', 'false', 'no'].includes(env['CI']?.trim().toLowerCase() ?? '')
}

/** The project's key serves when it was given by hand; one that a checkout made for itself is nobody else's. */
function keysOf(env: Env, report: Say): readonly string[] {
  const given = env['STAGECRAFT_REMOTE_CACHE_KEY']?.trim() || env['STAGECRAFT_PROJECT_KEY']?.trim() || ''
  if (given === '') return []
  const keys = given.split(',').map((key) => key.trim())
  if (keys.some((key) => key.length < shortestKey))
    report(
      'SC5111',
      `\`STAGECRAFT_REMOTE_CACHE_KEY\` holds a key of fewer than ${shortestKey} characters: expected one such as \`openssl rand -hex 32\` makes, or several with commas between`,
    )
  return keys
}

/** What may be shown of how results are shared. Holds no secret. */
export type DescribedRemote =
  | { readonly address: string; readonly mode: RemoteMode; readonly isSigned: boolean }
  | { readonly problems: readonly string[] }
  /** Results are not shared. */
  | null

export function describedRemote(settings: CacheSettings, env: Env): DescribedRemote {
  const checked = remoteUse(settings, env)
  if (!checked.ok) return { problems: checked.diagnostics.map(({ code, message }) => `${code} ${message}`) }
  if (checked.value === undefined) return null
  const { address, mode, keys } = checked.value
  return { address: address.url, mode, isSigned: keys.length > 0 }
}

/** One line for people: `https://cache.example.com (reads, signed)`. */
export function describeRemote(remote: DescribedRemote): string {
  if (remote === null) return 'with nobody'
  if ('problems' in remote) return remote.problems.join('; ')
  const mode = remote.mode === 'read' ? 'reads' : 'reads and writes'
  return `${remote.address} (${mode}, ${remote.isSigned ? 'signed' : 'not signed'})`
}
