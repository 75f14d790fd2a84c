/** Checks `migrations.engine_config`: each engine reads its own entry. */

import { nearest } from '../../graph/nearest.ts'
import type { Diagnostic, Json } from '../../graph/types.ts'
import type { Provider } from '../providers/provider.ts'
import type { ProviderRegistry } from '../providers/registry.ts'
import { problem } from './diagnostic.ts'
import { isObject } from './json-path.ts'
import type { Places } from './locate.ts'
import { schemaProblems } from './schema-problems.ts'
import { listed } from './word-list.ts'

export function checkEngineConfig(value: Json | undefined, engines: ProviderRegistry<Provider>, places: Places): readonly Diagnostic[] {
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([engine, settings]) => {
    const at = ['migrations', 'engine_config', engine]
    if (!engines.has(engine)) {
      const message = `there is no migration engine \`${engine}\`, only ${listed(engines.ids())}`
      return [problem('SC1053', message, places.locateKey(at), { suggestion: nearest(engine, engines.ids()) })]
    }
    const schema = engines.get(engine).config
    const parsed = schema.safeParse(settings)
    return parsed.success ? [] : schemaProblems(parsed.error.issues, { schema, value: settings, at, places })
  })
}
