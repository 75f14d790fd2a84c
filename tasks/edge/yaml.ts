import type { JsonObject } from '../../graph/types.ts'
import { renderComposeText } from '../rendering/compose-text.ts'

/** The same bytes for the same value, keys sorted, read alike by every reader of YAML. */
export function renderYaml(value: JsonObject): string {
  return renderComposeText(value)
}
