/** The checklist as a person reads it. Pure. */
import type { Paint } from '../../ui/paint.ts'
import { renderCount } from '../../ui/size.ts'
import { printable } from '../../ui/terminal.ts'
import type { Check } from './check.ts'

export function doctorText(checks: readonly Check[], paint: Paint): string {
  const marks = { ok: paint.green('✔'), warning: paint.yellow('!'), problem: paint.red('✖'), skipped: paint.dim('-') }
  const sections = [...new Set(checks.map(({ section }) => section))]
  const blocks = sections.map((section) => {
    const lines = checks
      .filter((check) => check.section === section)
      .flatMap(({ verdict, message, remedy }) => {
        const [first = '', ...more] = message.split('\n')
        const hints = remedy === undefined || remedy === '' ? [] : remedy.split('\n')
        return [
          `  ${marks[verdict]} ${printable(first)}`,
          ...more.map((line) => `    ${printable(line)}`),
          ...hints.map((line, index) => `    ${index === 0 ? paint.cyan('try:') : '    '} ${printable(line)}`),
        ]
      })
    return `${paint.bold(section)}\n${lines.join('\n')}\n`
  })
  return `${blocks.join('\n')}\n${total(checks)}\n`
}

function total(checks: readonly Check[]): string {
  const count = (verdict: Check['verdict']) => checks.filter((check) => check.verdict === verdict).length
  const [problems, warnings] = [count('problem'), count('warning')]
  if (problems + warnings === 0) return 'ready to deploy'
  const parts = [...(problems > 0 ? [renderCount(problems, 'problem')] : []), ...(warnings > 0 ? [renderCount(warnings, 'warning')] : [])]
  return problems > 0 ? parts.join(', ') : `ready to deploy, with ${parts.join('')}`
}
