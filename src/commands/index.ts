import type { CommandTable } from '../cli/command-table.ts'

/**
 * Every command. Summaries are repeated here so that `stagecraft --help` loads none of them; a test compares the two.
 * A command of two words is a member of a group: `releases list`.
 */
export const commands: CommandTable = {
  build: { summary: 'build images, and push them if asked', group: 'deliver', load: () => import('./build.ts') },
  completion: {
    summary: 'print a completion script for bash, fish or zsh',
    group: 'other',
    load: () => import('./completion.ts'),
  },
  version: {
    summary: 'print the version',
    group: 'other',
    load: () => import('./version.ts'),
  },
}
