/** What is wrong with a Compose file, and what of Compose this version cannot deploy. */

import { nearest } from '../../graph/nearest.ts'
import type { Diagnostic, Json, JsonObject } from '../../graph/types.ts'
import { problem } from './diagnostic.ts'
import { isObject, type JsonPath, pathText, valueAt } from './json-path.ts'
import { type Violation, violations } from './json-schema.ts'
import type { Places } from './locate.ts'
import { foundText } from './schema-problems.ts'
import { oneOf } from './word-list.ts'

/** In the order of rules; the caller sorts. */
export async function composeProblems(value: Json, places: Places): Promise<Diagnostic[]> {
  const { default: schema } = await import('./compose-spec.schema.json', { with: { type: 'json' } })
  const breaches = violations(schema as unknown as JsonObject, value).map((violation) => describe(violation, value, places))
  return [...breaches, ...unsupported(value, places)]
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: '`true` or `false`',
  object: 'a map',
  array: 'a list',
  null: 'nothing',
}

function describe(violation: Violation, value: Json, places: Places): Diagnostic {
  const { path } = violation
  const where = path.length === 0 ? '' : ` in ${pathText(path)}`
  const found = `, found ${foundText(valueAt(value, path))}`
  const location = places.locate(path)
  switch (violation.rule) {
    case 'type': {
      const names = violation.expected.map((type) => typeNames[type] ?? type)
      return problem('SC1009', `expected ${names.join(' or ')}${where}${found}`, location)
    }
    case 'unknown-key': {
      const suggestion = nearest(violation.key, violation.known)
      return problem('SC1003', `unknown key \`${violation.key}\`${where}`, places.locateKey([...path, violation.key]), { suggestion })
    }
    case 'required':
      return problem('SC1010', `\`${pathText([...path, violation.key])}\` is required`, location)
    case 'enum': {
      const suggestion = nearest(String(valueAt(value, path)), violation.allowed)
      return problem('SC1011', `expected ${oneOf(violation.allowed)}${where}${found}`, location, { suggestion })
    }
    case 'pattern':
      return problem('SC1011', `expected text like \`${violation.pattern}\`${where}${found}`, location)
    case 'minimum':
      return problem('SC1011', `expected at least ${violation.bound}${where}${found}`, location)
    case 'maximum':
      return problem('SC1011', `expected at most ${violation.bound}${where}${found}`, location)
    case 'unique':
      return problem('SC1011', `${foundText(valueAt(value, path))} is given twice in ${pathText(path.slice(0, -1))}`, location)
  }
}

function unsupported(value: Json, places: Places): Diagnostic[] {
  const refuse = (path: JsonPath, notes: readonly string[] = []) =>
    problem('SC1012', `\`${pathText(path)}\` is not supported by this version`, places.locateKey(path), {
      notes: notes.map((message) => ({ message })),
    })
  const top = ['models'].filter((key) => isObject(value) && Object.hasOwn(value, key)).map((key) => refuse([key]))
  const services = valueAt(value, ['services'])
  const inServices = Object.entries(isObject(services) ? services : {}).flatMap(([name, service]) => {
    if (!isObject(service)) return []
    const at = ['services', name]
    const keys = ['provider', 'models'].filter((key) => Object.hasOwn(service, key)).map((key) => refuse([...at, key]))
    const hooks = ['post_start', 'pre_stop']
      .filter((key) => Object.hasOwn(service, key))
      .map((key) => refuse([...at, key], ['Compose runs it when it starts or stops a container itself; here the Engine API does']))
    return [...keys, ...hooks, ...unsupportedMode(service, at, places), ...unsupportedConditions(service, at, places)]
  })
  return [...top, ...inServices]
}

/** Containers are made by number and live until the next release. */
function unsupportedMode(service: JsonObject, at: JsonPath, places: Places): Diagnostic[] {
  const path = [...at, 'deploy', 'mode']
  const mode = valueAt(service, ['deploy', 'mode'])
  if (typeof mode !== 'string' || mode === 'replicated') return []
  return [problem('SC1012', `\`${pathText(path)}: ${mode}\` is not supported by this version`, places.locate(path))]
}

function unsupportedConditions(service: JsonObject, at: JsonPath, places: Places): Diagnostic[] {
  const dependencies = service['depends_on']
  if (!isObject(dependencies)) return []
  const refused = 'service_completed_successfully'
  const notes = [{ message: 'migrations belong in `databases.<name>.migrations` of the manifest, other steps in `hooks`' }]
  return Object.keys(dependencies)
    .filter((name) => valueAt(dependencies, [name, 'condition']) === refused)
    .map((name) => {
      const path = [...at, 'depends_on', name, 'condition']
      return problem('SC1012', `\`${pathText(path)}: ${refused}\` is not supported by this version`, places.locate(path), { notes })
    })
}
