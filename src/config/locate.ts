/** From a path in the data to the line that says it. */
import type { Location } from '../../graph/types.ts'
import type { JsonPath } from './json-path.ts'

/** Where a value and its key were written, as offsets in UTF-16 units. */
export interface Place {
  readonly value?: readonly [start: number, end: number]
  readonly key?: readonly [start: number, end: number]
  readonly scalar: boolean
}

export interface Places {
  /** A scalar itself; for a map or list the key that holds it; for what is missing the nearest thing around it that exists. */
  readonly locate: (path: JsonPath) => Location
  /** The key of a map's member. */
  readonly locateKey: (path: JsonPath) => Location
  /** From one offset to another, cut at the end of the first line. */
  readonly at: (start: number, end: number) => Location
  /** The text between the offsets of a scalar, quotes included. */
  readonly sourceText: (path: JsonPath) => string | undefined
}

export function placeKey(path: JsonPath): string {
  return JSON.stringify(path)
}

export function placesOf(text: string, file: string, index: ReadonlyMap<string, Place>): Places {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)

  function at(start: number, end: number): Location {
    const line = lineOf(starts, Math.min(start, text.length))
    const lineStart = starts[line] ?? 0
    const lineText = text.slice(lineStart, starts[line + 1] ?? text.length).replace(/\r?\n$/, '')
    const column = Math.min(start - lineStart, lineText.length)
    const length = Math.max(1, Math.min(end - lineStart, lineText.length) - column)
    return { file, line: line + 1, column: column + 1, length, text: lineText }
  }

  function locate(path: JsonPath): Location {
    const place = index.get(placeKey(path))
    if (place?.value && place.scalar && place.value[1] > place.value[0]) return at(...place.value)
    if (place?.key) return at(...place.key)
    if (place?.value && path.length > 0) return at(...place.value)
    return path.length === 0 ? at(place?.value?.[0] ?? 0, (place?.value?.[0] ?? 0) + 1) : locate(path.slice(0, -1))
  }

  return {
    at,
    locate,
    locateKey: (path) => {
      const key = index.get(placeKey(path))?.key
      return key ? at(...key) : locate(path)
    },
    sourceText: (path) => {
      const place = index.get(placeKey(path))
      return place?.value && place.scalar ? text.slice(...place.value) : undefined
    },
  }
}

/** Index of the last line start that is not after `offset`. */
function lineOf(starts: readonly number[], offset: number): number {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((starts[middle] ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return low
}
