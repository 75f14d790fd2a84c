import type { App } from '../contracts.ts'
import { createJsonView } from './json.ts'
import { createListView } from './list.ts'
import { createPlainView } from './plain.ts'
import { isInteractive } from './terminal.ts'
import type { View, ViewOptions } from './view.ts'

/**
 * `auto`: a live list on a terminal, lines elsewhere or with --verbose or --quiet. `text`: always lines. Both on stderr, the summary on stdout.
 * `json`: events on stdout, where they are the result.
 */
export function createView(format: 'auto' | 'text' | 'json', streams: Pick<App, 'stdout' | 'stderr' | 'env'>, options: ViewOptions): View {
  if (format === 'json') return createJsonView(streams.stdout)
  const isLive = format === 'auto' && !options.verbose && !options.quiet && isInteractive(streams.env, streams.stderr)
  return isLive ? createListView(streams.stderr, options, streams.stdout) : createPlainView(streams.stderr, options, streams.stdout)
}
