import { Document, visit } from 'yaml'
import type { Json, JsonObject } from '../../graph/types.ts'
import { sortedNames, sortKeys } from './json.ts'

const firstKeys = ['name', 'services', 'networks', 'volumes', 'configs', 'secrets']

/** Refused, dropped or taken for line breaks by a YAML 1.1 reader (which Compose's is), and left as they are by a 1.2 writer. */
const fragile = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g

/**
 * A Compose file's text: the same bytes for the same model, whatever the order of its keys. Strings that YAML 1.1 or 1.2
 * would take for something else are quoted; no anchors, no folded lines, LF, one final line break.
 */
export function renderComposeText(model: JsonObject): string {
  const document = new Document(ordered(model), { aliasDuplicateObjects: false, compat: 'yaml-1.1' })
  visit(document, {
    Scalar(_, scalar) {
      if (typeof scalar.value === 'string' && scalar.value.search(fragile) >= 0) scalar.type = 'QUOTE_DOUBLE'
    },
  })
  const text = document.toString({ lineWidth: 0 })
  return text.replace(fragile, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function ordered(model: JsonObject): Readonly<Record<string, Json>> {
  const others = sortedNames(Object.keys(model)).filter((key) => !firstKeys.includes(key))
  const keys = [...firstKeys, ...others.filter((key) => !key.startsWith('x-')), ...others.filter((key) => key.startsWith('x-'))]
  return Object.fromEntries(keys.flatMap((key) => (model[key] === undefined ? [] : [[key, sortKeys(model[key])]])))
}
