/** What a preflight found, as a person or a program reads it. Pure. */
import type { LockRisk } from '../../databases/lock-risks/lock-risks.ts'
import { renderCount } from '../../ui/size.ts'
import { printable } from '../../ui/table.ts'
import type { CheckedSet } from './preflight.ts'

export function preflightText(sets: readonly CheckedSet[]): string {
  return sets.map(oneText).join('\n')
}

function oneText({ database, path, files, risks, score }: CheckedSet): string {
  const about = database === undefined ? '' : `${database}: `
  const checked = renderCount(
    files.length,
    database === undefined ? 'file' : 'pending migration',
    database === undefined ? 'files' : 'pending migrations',
  )
  const found = risks.length === 0 ? 'no risks' : renderCount(risks.length, 'risk', 'risks')
  const details = risks.map((risk) => riskText(risk, path))
  return `${about}${checked}, ${found}, score ${score} of 100\n${details.map((text) => `\n${text}`).join('')}`
}

function riskText({ file, line, rule, severity, lock, why, advice }: LockRisk, path: string): string {
  const locks = lock === 'none' ? '' : `; lock: ${lock}`
  return [
    `${printable(placeOf(file, path))}:${line}  ${rule} (${severity}${locks})`,
    `  why:     ${why}`,
    `  instead: ${advice}`,
    `  or, knowing that, before it: -- stagecraft: allow ${rule}: <why it is fine>\n`,
  ].join('\n')
}

/** Schema: spec/commands/migrate-preflight.md. */
export function preflightJson(sets: readonly CheckedSet[]): string {
  const json = {
    schema_version: 1,
    checked: sets.map(({ database, path, files, risks, score }) => ({
      database: database ?? null,
      files: files.map((file) => placeOf(file, path)),
      score,
      risks: risks.map(({ file, ...risk }) => ({ file: placeOf(file, path), ...risk })),
    })),
  }
  return `${JSON.stringify(json, null, 2)}\n`
}

function placeOf(file: string, path: string): string {
  return path === '' || path === '.' ? file : `${path}/${file}`
}
