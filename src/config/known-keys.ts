import type { z } from 'zod'
import type { Json } from '../../graph/types.ts'
import { isList, type JsonPath } from './json-path.ts'

/** A schema seen from inside: the members this walk needs, as `zod` 4 documents them on `_zod.def`. */
interface Definition {
  readonly type: string
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>
  readonly valueType?: z.core.$ZodType
  readonly element?: z.core.$ZodType
  readonly options?: readonly z.core.$ZodType[]
  readonly innerType?: z.core.$ZodType
  readonly in?: z.core.$ZodType
  readonly out?: z.core.$ZodType
}

/** Keys the schema knows at a path, of every alternative that could be meant there. */
export function knownKeys(schema: z.core.$ZodType, path: JsonPath, found?: Json): string[] {
  const definition = schema._zod.def as Definition
  const nested = [definition.innerType, definition.in, definition.out, ...(definition.options ?? [])].filter((inner) => inner !== undefined)
  if (nested.length > 0) return nested.flatMap((inner) => knownKeys(inner, path, found))
  const [step, ...rest] = path
  if (step === undefined) return definition.shape && !isList(found) ? Object.keys(definition.shape) : []
  const inner =
    definition.shape && Object.hasOwn(definition.shape, step) ? definition.shape[step] : (definition.valueType ?? definition.element)
  return inner ? knownKeys(inner, rest, found) : []
}
