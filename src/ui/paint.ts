import { Chalk } from 'chalk'

/** The styles the program uses, each a function of a text. Without color they return it unchanged. */
export interface Paint {
  bold(text: string): string
  dim(text: string): string
  red(text: string): string
  green(text: string): string
  yellow(text: string): string
  cyan(text: string): string
  blue(text: string): string
  magenta(text: string): string
}

/** Sixteen colors only: they follow the terminal's own theme. */
export function createPaint(color: boolean): Paint {
  return new Chalk({ level: color ? 1 : 0 })
}
