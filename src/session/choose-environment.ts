/** Which environment a run is in. Never guessed: a deploy to the wrong one cannot be taken back. */
import type { Diagnostic } from '../../graph/types.ts'
import { InputError } from '../contracts.ts'

/**
 * @param given what `--env` or STAGECRAFT_ENV says.
 * @param asked environments that pipelines ask for, and which does.
 * @throws InputError when they contradict each other.
 */
export function agreedEnvironment(given: string | undefined, asked: ReadonlyMap<string, string>): string | undefined {
  const [first, second] = [...asked]
  if (first && second) {
    throw refused(
      'SC3110',
      `pipeline \`${first[1]}\` runs in \`${first[0]}\`, and \`${second[1]}\` in \`${second[0]}\`: run them one by one`,
    )
  }
  if (first && given !== undefined && given !== first[0]) {
    throw refused('SC3110', `pipeline \`${first[1]}\` runs in \`${first[0]}\`, but \`--env\` says \`${given}\``)
  }
  return given ?? first?.[0]
}

/** @param words what cannot be had without an environment. @param names of the environments there are. */
export function noEnvironment(words: readonly string[], names: readonly string[]): InputError {
  if (names.length > 0) return refused('SC3101', `no environment given: add \`--env\` with one of ${listed(names)}`)
  const what = words.length === 0 ? 'a deploy' : listed(words)
  const verb = words.length > 1 ? 'need' : 'needs'
  return refused('SC3101', `${what} ${verb} an environment, and the manifest has none: add one under \`environments\``)
}

/** Of a manifest in which nothing can be named. */
export function nothingYet(): InputError {
  return refused(
    'SC3101',
    'the manifest has no tasks and no environments yet: write a task under `tasks`, or say where to deploy under `environments`',
  )
}

function listed(names: readonly string[]): string {
  return [...names]
    .sort()
    .map((name) => `\`${name}\``)
    .join(', ')
}

function refused(code: Diagnostic['code'], message: string): InputError {
  return new InputError([{ code, severity: 'error', message }])
}
