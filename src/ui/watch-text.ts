/** What a watch says between runs. Pure. */
import type { Paint } from './paint.ts'
import { printable } from './terminal.ts'

/** What set a run off. */
export type Trigger = { readonly by: 'files'; readonly paths: readonly string[] } | { readonly by: 'key' } | { readonly by: 'start' }

/** `src/a.ts changed (+3)` */
export function triggerText(trigger: Trigger): string {
  if (trigger.by === 'key') return 'asked for'
  if (trigger.by === 'start') return 'first run'
  const [first = 'something', ...more] = trigger.paths
  return `${printable(first)} changed${more.length === 0 ? '' : ` (+${more.length})`}`
}

/** A line that tells one run from the next at a glance. */
export function separator(text: string, time: string, width: number, paint: Paint): string {
  const head = `── ${time}  ${text} `
  return paint.dim(`${head}${'─'.repeat(Math.max(3, width - head.length))}`)
}

export function waitingText(folders: number, hasKeys: boolean, paint: Paint): string {
  const keys = hasKeys ? ': r runs again, q quits' : ''
  return paint.dim(`waiting for changes in ${folders} ${folders === 1 ? 'folder' : 'folders'}${keys}`)
}
