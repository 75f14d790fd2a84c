import type { Json } from '../../graph/types.ts'
import { type ExecParams, execParams } from '../../tasks/exec/params.ts'

/** When a task that keeps running counts as ready, as a sentence fragment; undefined for one that ends by itself. */
export function serviceWords(params: Json): string | undefined {
  const checked = execParams.safeParse(params)
  return checked.success && checked.data.service !== null ? readyWords(checked.data.service.ready) : undefined
}

function readyWords({ http, tcp, line, command, timeoutMs }: NonNullable<ExecParams['service']>['ready']): string {
  const signs = [
    ...(http === null ? [] : [`${http} answers`]),
    ...(tcp === null ? [] : [`${tcp} accepts a connection`]),
    ...(line === null ? [] : [`a line of its output matches \`${line}\``]),
    ...(command === null ? [] : [`\`${command.join(' ')}\` exits with 0`]),
  ]
  const ready = signs.length === 0 ? 'once it runs' : `when ${signs.join(' and ')}, within ${timeoutMs / 1000} s`
  return `started when a task that depends on it runs, stopped when the last of those has ended; ready ${ready}`
}
