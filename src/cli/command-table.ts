import type { CommandModule } from '../contracts.ts'

/** Headings of `stagecraft --help`, in order. */
export const commandGroups = { start: 'Start', deliver: 'Deliver', look: 'Look', operate: 'Operate', other: 'Other' } as const

export interface CommandEntry {
  /** Same text as the module's. */
  readonly summary: string
  readonly group: keyof typeof commandGroups
  load(): Promise<CommandModule>
}

/** Name, of one or two words, to command. */
export type CommandTable = Readonly<Record<string, CommandEntry>>
