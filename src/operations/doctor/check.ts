/** What `doctor` finds, one thing at a time. Pure. */
import type { Failure } from '../../../graph/types.ts'
import { type ExitCode, exitCodes } from '../../contracts.ts'

export interface Check {
  /** What it is about: `this machine`, an environment, a host. */
  readonly section: string
  /** The same in every version: `docker`, `clock`. */
  readonly name: string
  readonly verdict: 'ok' | 'warning' | 'problem' | 'skipped'
  readonly message: string
  readonly remedy?: string
  /** Of a problem: the user wrote something wrong, or something outside does not do its part. */
  readonly cause?: 'input' | 'world'
}

/** Checks of one section. */
export class Checks {
  readonly #section: string
  readonly all: Check[] = []

  constructor(section: string) {
    this.#section = section
  }

  ok(name: string, message: string): void {
    this.#add({ name, verdict: 'ok', message })
  }
  warn(name: string, message: string, remedy?: string): void {
    this.#add({ name, verdict: 'warning', message, ...(remedy === undefined ? {} : { remedy }) })
  }
  /** Cannot be told, or need not be so. */
  skip(name: string, message: string): void {
    this.#add({ name, verdict: 'skipped', message })
  }
  problem(name: string, message: string, remedy?: string, cause: 'input' | 'world' = 'world'): void {
    this.#add({ name, verdict: 'problem', message, ...(remedy === undefined ? {} : { remedy }), cause })
  }
  failure(name: string, { message, remedy }: Failure): void {
    this.problem(name, message, remedy)
  }

  #add(check: Omit<Check, 'section'>): void {
    this.all.push({ section: this.#section, ...check })
  }
}

/** 1 when input is wrong, whatever else is: it is mended first, and some of the rest may come of it. Warnings alone are 0. */
export function exitCodeOfChecks(checks: readonly Check[]): ExitCode {
  const problems = checks.filter(({ verdict }) => verdict === 'problem')
  if (problems.some(({ cause }) => cause === 'input')) return exitCodes.input
  return problems.length > 0 ? exitCodes.world : exitCodes.done
}

/** Compares versions by their first numbers, `v2.26.1-desktop` as 2.26.1. Undefined for what has none. */
export function isAtLeast(version: string, least: string): boolean | undefined {
  const numbers = (text: string) =>
    /(\d+)\.(\d+)(?:\.(\d+))?/
      .exec(text)
      ?.slice(1)
      .map((part) => Number(part ?? 0))
  const [found, wanted] = [numbers(version), numbers(least)]
  if (found === undefined || wanted === undefined) return undefined
  for (const [index, part] of found.entries()) {
    const other = wanted[index] ?? 0
    if (part !== other) return part > other
  }
  return true
}
