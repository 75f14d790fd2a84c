import type { TaskId } from '../../graph/types.ts'
import type { App } from '../contracts.ts'
import { isGitHub } from './github.ts'
import { createJsonView } from './json.ts'
import { createListView } from './list.ts'
import { createPlainView } from './plain.ts'
import { isInteractive } from './terminal.ts'
import type { View, ViewOptions } from './view.ts'

/**
 * `auto`: a live list on a terminal, lines elsewhere and where something was asked that a list has no room for. `text`: always lines.
 * Both on stderr, the summary on stdout. `json`: events on stdout, where they are the result.
 */
export function createView(format: 'auto' | 'text' | 'json', streams: Pick<App, 'stdout' | 'stderr' | 'env'>, options: ViewOptions): View {
  if (format === 'json') return createJsonView(streams.stdout)
  const isTerminal = isInteractive(streams.env, streams.stderr)
  const wantsLines = options.verbose || options.quiet || options.explain === true || options.output === 'new' || options.output === 'full'
  if (format === 'auto' && isTerminal && !wantsLines) return createListView(streams.stderr, options, streams.stdout)
  const output = options.output ?? (isTerminal && !options.verbose ? 'errors' : 'new')
  const heard = options.output === undefined && !options.quiet ? { heard: options.asked ?? new Set<TaskId>() } : {}
  return createPlainView(streams.stderr, { ...options, ...heard, output, github: isGitHub(streams.env) }, streams.stdout)
}
