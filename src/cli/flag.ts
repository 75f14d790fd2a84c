import type { Json } from '../../graph/types.ts'

/** One command-line flag, however it was declared: what parsing, help and completion read. */
export interface Flag {
  /** Member of the command's input: `dryRun`. */
  readonly key: string
  /** Without dashes, in its positive form: `dry-run`. */
  readonly name: string
  /** One letter. */
  readonly alias?: string
  /** `optional` is true alone and text after `=`: `--force`, `--force=build:*`. */
  readonly shape: 'boolean' | 'text' | 'number' | 'list' | 'optional'
  readonly description: string
  /** Placeholder of the value in help: `<name>`. */
  readonly value: string
  /** Environment variable that speaks where the flag is not given. */
  readonly env?: string
  readonly hidden: boolean
  readonly choices?: readonly string[]
  /** What holds when nobody says anything. */
  readonly fallback?: Json
}

/** One positional argument. */
export interface Positional {
  readonly key: string
  readonly name: string
  readonly description: string
  readonly required: boolean
  readonly variadic: boolean
  readonly choices?: readonly string[]
  readonly fallback?: Json
}

/** A switch that is on unless told otherwise is written, and shown, as `--no-name`. */
export function isOnByDefault(flag: Flag): boolean {
  return flag.shape === 'boolean' && flag.fallback === true
}

/** As a person types it: `--dry-run`, `--no-cache`. */
export function spelling(flag: Flag): string {
  return isOnByDefault(flag) ? `--no-${flag.name}` : `--${flag.name}`
}

/** True when the flag must be followed by a value. */
export function takesValue(flag: Flag): boolean {
  return flag.shape === 'text' || flag.shape === 'number' || flag.shape === 'list'
}

/** `dryRun` → `dry-run`. */
export function kebabCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
