/** What entries of the register must be by themselves, and what a status claims. */
import { type Feature, type Register, registerPath, type Status, statuses } from './register.ts'
import type { Repository } from './repository.ts'
import { errorsIn, type Violation } from './violation.ts'

/** Words that may stand for a phase; any whole number may too. */
const phaseWords: readonly unknown[] = ['architecture', 'governance', 'ours']

export function isStatus(value: unknown): value is Status {
  return statuses.some((status) => status === value)
}

/** A page and tests are owed by whoever says it works. */
function isClaim({ status }: Feature): boolean {
  return status === 'done' || status === 'wip'
}

export function entryViolations({ features }: Register): Violation[] {
  return features.flatMap((feature, index) => {
    const { id, title, phase, status, lineOf } = feature
    const error = errorsIn(registerPath, id)
    const found: Violation[] = []
    const first = features.findIndex((other) => other.id === id)
    if (!/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/.test(id))
      found.push(error(lineOf('id'), 'INVALID_FEATURE', `has the id ${id}; expected SCREAMING_SNAKE case, like CLI_BUILD`))
    if (first !== index)
      found.push(error(lineOf('id'), 'DUPLICATE_FEATURE', `is listed on line ${features[first]?.lineOf()} already; expected one entry`))
    if (typeof title !== 'string' || title.trim() === '')
      found.push(error(lineOf('title'), 'INVALID_FEATURE', 'has no title; expected some words'))
    if (!(Number.isInteger(phase) && Number(phase) >= 0) && !phaseWords.includes(phase))
      found.push(
        error(lineOf('phase'), 'INVALID_FEATURE', `has phase ${phase}; expected a whole number or one of ${phaseWords.join(', ')}`),
      )
    if (!isStatus(status))
      found.push(error(lineOf('status'), 'INVALID_FEATURE', `has status ${status}; expected one of ${statuses.join(', ')}`))
    return found
  })
}

/** What a status claims must be there. What a feature that claims nothing names, and is not there, is a warning. */
export function claimViolations({ features }: Register, { exists }: Repository): Violation[] {
  return features.flatMap((feature) => {
    const { id, status, spec, tests, lineOf } = feature
    const error = errorsIn(registerPath, id)
    const missing: typeof error = (...words) => ({ ...error(...words), severity: isClaim(feature) ? 'error' : 'warning' })
    const found: Violation[] = []
    if (isClaim(feature) && spec === undefined)
      found.push(error(lineOf(), 'MISSING_SPEC', `is ${status} but names no page; expected \`spec\``))
    if (isClaim(feature) && tests.length === 0)
      found.push(error(lineOf(), 'MISSING_TESTS', `is ${status} but names no test; expected \`tests\``))
    if (spec !== undefined && !exists(`spec/${spec}`))
      found.push(missing(lineOf('spec'), 'MISSING_SPEC', `names spec/${spec}, which does not exist; expected a page`))
    for (const [index, path] of tests.entries())
      if (!exists(path))
        found.push(missing(lineOf('tests', index), 'MISSING_TESTS', `names ${path}, which does not exist; expected a test`))
    return found
  })
}
