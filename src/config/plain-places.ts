/** Where the values of a plain tree were written: of keys it knows itself, for the rest the text is read once more by the library. */
import type { Json } from '../../graph/types.ts'
import { type JsonPath, valueAt } from './json-path.ts'
import { type Places, placesOf } from './locate.ts'
import type { PlainTree } from './plain-yaml.ts'

/** @param readAll places as the library tells them, asked for at most once. */
export function plainPlaces(text: string, file: string, { value, keys }: PlainTree, readAll: () => Places | undefined): Places {
  const { at } = placesOf(text, file, new Map())
  let known: Places | undefined
  const all = (): Places => {
    known ??= readAll()
    if (known === undefined) throw new Error(`${file} was read as plain YAML, and is none`)
    return known
  }
  return {
    at,
    locate: (path) => all().locate(path),
    locateKey(path) {
      const range = rangeOf(path)
      return range ? at(...range) : all().locateKey(path)
    },
    sourceText: (path) => all().sourceText(path),
  }

  function rangeOf(path: JsonPath): readonly [number, number] | undefined {
    const map: Json | undefined = valueAt(value, path.slice(0, -1))
    const ranges = typeof map === 'object' && map !== null ? keys.get(map) : undefined
    return ranges?.[path.at(-1) ?? '']
  }
}
