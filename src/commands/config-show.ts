import { z } from 'zod'
import type { Json } from '../../graph/types.ts'
import type { EffectiveValue, Origin } from '../config/effective.ts'
import { type App, type ExitCode, exitCodes, type GlobalOptions } from '../contracts.ts'
import { type EffectiveConfig, readEffectiveConfig } from '../session/effective-config.ts'
import { renderTable } from '../ui/table.ts'

export const summary = 'show every setting in force, and where it comes from'
export const feature = 'CLI_CONFIG'
export const options = z.strictObject({
  format: z.enum(['text', 'json']).default('text').describe('form of the result'),
})
export const examples = ['stagecraft config show', 'stagecraft config show --env prod', 'stagecraft config show --env prod --format json']

/** Without an environment the manifest with its defaults; with one what a deploy there would go by. @throws InputError */
export async function run({ format }: z.output<typeof options>, globals: GlobalOptions, app: App): Promise<ExitCode> {
  const { warnings, ...shown } = await readEffectiveConfig(globals, app)
  app.stdout.write(format === 'json' ? `${JSON.stringify(shown, null, 2)}\n` : text(shown))
  if (warnings.length > 0 && !globals.quiet) {
    const { renderDiagnostics } = await import('../ui/diagnostics.ts')
    app.stderr.write(renderDiagnostics(warnings, { color: false }))
  }
  return exitCodes.done
}

function text({ values }: Pick<EffectiveConfig, 'values'>): string {
  return renderTable(
    ['SETTING', 'VALUE', 'FROM'],
    values.map((one) => [one.path, valueText(one), originText(one.origin)]),
  )
}

function valueText({ value, secret }: EffectiveValue): string {
  if (secret) return '(secret)'
  return Array.isArray(value) ? value.map(plain).join(', ') : plain(value)
}

function plain(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function originText({ from, file, line, why }: Origin): string {
  const place = file === undefined ? '' : line === undefined ? file : `${file}:${line}`
  switch (from) {
    case 'default':
      return 'default'
    case 'computed':
      return `computed: ${why}`
    case 'outside':
      return why ?? 'outside'
    case 'environment':
      return `${place} (environment)`
    default:
      return place
  }
}
