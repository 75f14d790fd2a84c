/** What a watch says between runs. Pure. */
import type { Paint } from './paint.ts'
import { renderCount } from './size.ts'
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

/** @param services names of those that run meanwhile. */
export function waitingText(folders: number, hasKeys: boolean, services: readonly string[], paint: Paint): string {
  const keys = hasKeys ? ': r runs again, q quits' : ''
  const running = services.length === 0 ? '' : `${listed(services)} ${services.length === 1 ? 'keeps' : 'keep'} running; `
  return paint.dim(`${running}waiting for changes in ${renderCount(folders, 'folder')}${keys}`)
}

/** `api`, `api and db`, `api, db and web`. */
function listed(names: readonly string[]): string {
  const [last = '', ...others] = [...names].reverse()
  return others.length === 0 ? last : `${others.reverse().join(', ')} and ${last}`
}
