/** The `edge` block in the one shape that is checked: `edge: caddy` and an absent part mean what they would say in full. Pure. */
import type { Json } from '../../graph/types.ts'
import { defaultEdgeProvider } from '../providers/edge/index.ts'
import { isObject } from './json-path.ts'

export function wholeEdgeBlock(block: Json): Json {
  const given = typeof block === 'string' ? { provider: block } : (block ?? {})
  if (!isObject(given)) return given
  const provider = given['provider'] ?? defaultEdgeProvider
  const providers = given['providers'] ?? {}
  if (typeof provider !== 'string' || !isObject(providers)) return { ...given, provider, providers }
  return { ...given, provider, providers: { [provider]: {}, ...providers } }
}
