/** Turns what zod found into diagnostics in the user's words, each at its line. */
import type { z } from 'zod'
import { nearest } from '../../graph/nearest.ts'
import type { Diagnostic, Json } from '../../graph/types.ts'
import { problem } from './diagnostic.ts'
import { foreignWord } from './foreign-words.ts'
import { isList, isObject, type JsonPath, pathText, valueAt } from './json-path.ts'
import { knownKeys } from './known-keys.ts'
import type { Places } from './locate.ts'
import { oneOf } from './word-list.ts'

type Issue = z.core.$ZodIssue

/** What was checked: the schema, the value it met, and where in the document that value stands. */
export interface CheckedPart {
  readonly schema: z.ZodType
  readonly value: Json
  /** Path of `value` in the document. */
  readonly at: JsonPath
  readonly places: Places
}

/** One diagnostic per mistake. */
export function schemaProblems(issues: readonly Issue[], part: CheckedPart): Diagnostic[] {
  return issues.flatMap((issue) => describe(issue, [], part))
}

function describe(issue: Issue, within: JsonPath, part: CheckedPart): Diagnostic[] {
  const local = [...within, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))]
  const path = [...part.at, ...local]
  const { places } = part
  const found = valueAt(part.value, local)
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => {
        const suggestion = foreignWord(key, path) ?? nearest(key, knownKeys(part.schema, local, found))
        return problem('SC1003', `unknown key \`${key}\`${inPath(path)}`, places.locateKey([...path, key]), { suggestion })
      })
    case 'invalid_type':
      if (found === undefined) return missing(local, part)
      return [wrongType(typeName(issue.expected), path, found, places)]
    case 'invalid_value': {
      if (found === undefined) return missing(local, part)
      const words = issue.values.map(String)
      const suggestion = typeof found === 'string' ? nearest(found, words) : undefined
      return [problem('SC1011', `expected ${oneOf(words)}${inPath(path)}, found ${foundText(found)}`, places.locate(path), { suggestion })]
    }
    case 'invalid_union':
      return describeUnion(issue, local, part)
    case 'invalid_key': {
      const message = issue.issues[0]?.message ?? 'expected another name'
      const key = String(path.at(-1))
      return [problem('SC1011', `${message}${inPath(path.slice(0, -1))}, found \`${key}\``, places.locateKey(path))]
    }
    case 'too_small':
      return [
        problem(
          'SC1011',
          `expected ${limit('at least', issue.minimum, issue.origin)}${inPath(path)}, found ${foundText(found)}`,
          places.locate(path),
        ),
      ]
    case 'too_big':
      return [
        problem(
          'SC1011',
          `expected ${limit('at most', issue.maximum, issue.origin)}${inPath(path)}, found ${foundText(found)}`,
          places.locate(path),
        ),
      ]
    default:
      return [problem('SC1011', `${issue.message}${inPath(path)}, found ${foundText(found)}`, places.locate(path))]
  }
}

/** Who wrote `cmd` is told of `command` there, and not again that it is required. */
function missing(local: JsonPath, { value, at, places }: CheckedPart): Diagnostic[] {
  const path = [...at, ...local]
  const beside = valueAt(value, local.slice(0, -1))
  const isMeant = isObject(beside) && Object.keys(beside).some((key) => foreignWord(key, path.slice(0, -1)) === path.at(-1))
  return isMeant ? [] : [problem('SC1010', `\`${pathText(path)}\` is required`, places.locate(path))]
}

/** The branch that at least has the right type says what is wrong; with none, the types are what is wrong. */
function describeUnion(issue: z.core.$ZodIssueInvalidUnion, local: JsonPath, part: CheckedPart): Diagnostic[] {
  const path = [...part.at, ...local]
  const found = valueAt(part.value, local)
  if (found === undefined) return missing(local, part)
  // Of words, only a word can be meant.
  const isOther = ({ code, path: at }: Issue) =>
    at.length === 0 && (code === 'invalid_type' || (code === 'invalid_value' && typeof found === 'object'))
  const branches = issue.errors.filter((errors) => !errors.some(isOther))
  const best = branches.sort((a, b) => a.length - b.length)[0]
  if (best) return best.flatMap((error) => describe(error, local, part))
  const types = issue.errors.flatMap((errors) =>
    errors.flatMap((error) => (error.code === 'invalid_type' ? [typeName(error.expected)] : [])),
  )
  return [wrongType([...new Set(types)].join(' or '), path, found, part.places)]
}

function wrongType(expected: string, path: JsonPath, found: Json, places: Places): Diagnostic {
  const source = typeof found === 'number' || typeof found === 'boolean' ? places.sourceText(path) : undefined
  const suggestion = expected === 'text' && source !== undefined ? `"${source}"` : expected === 'a list' ? asList(path, found) : undefined
  const shown = source === undefined ? foundText(found) : `\`${source}\``
  const isMapOfValues = path[0] === 'tasks' && path[2] === 'env' && isObject(found)
  const notes = isMapOfValues ? [{ message: '`env` names variables that are passed on; those with values go into `variables`' }] : []
  return problem('SC1009', `expected ${expected}${inPath(path)}, found ${shown}`, places.locate(path), { suggestion, notes })
}

/** One word where a list of them belongs. */
function asList(path: JsonPath, found: Json): string | undefined {
  if (typeof found !== 'string' || found === '') return undefined
  const isArgv = path.at(-1) === 'tools' || path.at(-2) === 'tools'
  if (!isArgv) return JSON.stringify([found])
  const argv = `[${found
    .trim()
    .split(/\s+/)
    .map((word) => JSON.stringify(word))
    .join(', ')}]`
  return path.at(-1) === 'tools' ? `[${argv}]` : argv
}

function inPath(path: JsonPath): string {
  return path.length === 0 ? '' : ` in ${pathText(path)}`
}

function limit(comparison: string, bound: number | bigint, origin: string): string {
  const unit = origin === 'string' ? ' characters' : origin === 'array' ? (bound === 1 ? ' entry' : ' entries') : ''
  return `${comparison} ${bound}${unit}`
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: '`true` or `false`',
  object: 'a map',
  record: 'a map',
  array: 'a list',
}

function typeName(expected: string): string {
  return typeNames[expected] ?? expected
}

/** What stands there, short enough for one line. */
export function foundText(found: Json | undefined): string {
  if (found === undefined || found === null) return 'nothing'
  if (isList(found)) return found.length === 0 ? 'an empty list' : 'a list'
  if (isObject(found)) return Object.keys(found).length === 0 ? 'an empty map' : 'a map'
  if (found === '') return 'empty text'
  const text = typeof found === 'string' && looksTyped(found) ? JSON.stringify(found) : String(found)
  return `\`${text.length > 60 ? `${text.slice(0, 59)}…` : text}\``
}

/** Text that only its quotes tell from a number or a boolean. */
function looksTyped(text: string): boolean {
  return /^(?:[-+]?[0-9.]+|true|false|null)$/.test(text)
}
