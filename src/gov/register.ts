/** The feature register, read from its text with the line of everything in it. */
import { isList, isObject } from '../config/json-path.ts'
import { parseYaml } from '../config/yaml-tree.ts'
import { errorsIn, type Violation } from './violation.ts'

export const registerPath = 'spec/features.yaml'
export const statuses = ['todo', 'wip', 'done', 'deprecated', 'removed', 'cancelled', 'v2'] as const
export type Status = (typeof statuses)[number]

const keys: readonly string[] = ['id', 'title', 'phase', 'status', 'spec', 'tests', 'depends_on']

export interface Feature {
  readonly id: string
  readonly title: unknown
  readonly phase: unknown
  /** As written: the rules say whether it is a `Status`. */
  readonly status: unknown
  /** Relative to `spec/`; a leading `spec/` is taken off. */
  readonly spec?: string
  /** Relative to the repository. */
  readonly tests: readonly string[]
  readonly dependsOn: readonly string[]
  /** Line of the entry, or of a key or list item in it: `lineOf('tests', 0)`. */
  readonly lineOf: (...path: (string | number)[]) => number
}

export interface Register {
  readonly features: readonly Feature[]
  /** What could not be read. Entries it is about are left out where they have no id. */
  readonly violations: readonly Violation[]
}

/** Never throws: what is not a register is a violation. `undefined`: there is no such file. */
export function readRegister(text: string | undefined): Register {
  const error = errorsIn(registerPath)
  const nothing = (line: number, detail: string): Register => ({ features: [], violations: [error(line, 'INVALID_REGISTER', detail)] })
  if (text === undefined) return nothing(1, 'there is no such file; expected the list of all features')
  const { tree, problems } = parseYaml(text, registerPath)
  const [problem] = problems
  if (tree === undefined || problem !== undefined) return nothing(problem?.location?.line ?? 1, `${problem?.message}; expected a YAML map`)
  const list = isObject(tree.value) ? tree.value['features'] : undefined
  if (!isList(list)) return nothing(1, 'has no list `features`; expected `features:` and its entries')
  const violations: Violation[] = []
  const features = list.flatMap((entry, index): Feature[] => {
    const start = tree.places.locate(['features', index, 'id']).line
    if (!isObject(entry) || typeof entry['id'] !== 'string') {
      violations.push(
        error(tree.places.locate(['features', index]).line, 'INVALID_FEATURE', `entry ${index + 1} has no id; expected a map with \`id\``),
      )
      return []
    }
    const id = entry['id']
    const invalid = errorsIn(registerPath, id)
    const lineOf: Feature['lineOf'] = (...path) => (path.length === 0 ? start : tree.places.locate(['features', index, ...path]).line)
    for (const key of Object.keys(entry)) {
      const line = tree.places.locateKey(['features', index, key]).line
      if (!keys.includes(key)) violations.push(invalid(line, 'INVALID_FEATURE', `has an unknown key ${key}; expected ${keys.join(', ')}`))
    }
    const texts = (key: string): readonly string[] => {
      const value = entry[key] ?? []
      if (isList(value) && value.every((one) => typeof one === 'string')) return value as readonly string[]
      violations.push(invalid(lineOf(key), 'INVALID_FEATURE', `\`${key}\` is not a list of words; expected [a, b]`))
      return []
    }
    const { title, phase, status, spec } = entry
    if (spec !== undefined && typeof spec !== 'string')
      violations.push(invalid(lineOf('spec'), 'INVALID_FEATURE', '`spec` is not a word; expected the path of a page below spec/'))
    const page = typeof spec === 'string' ? { spec: spec.replace(/^spec\//, '') } : {}
    return [{ id, title, phase, status, ...page, tests: texts('tests'), dependsOn: texts('depends_on'), lineOf }]
  })
  return { features, violations }
}
