/** Decision records: a number of their own, a line in the index, every part. */
import type { Repository } from './repository.ts'
import { errorsIn, lineAt, type Violation } from './violation.ts'

const folder = 'docs/adr/'
const index = `${folder}README.md`
const parts = ['Context', 'Decision', 'Consequences', 'Alternatives']

/** None where there are no records. */
export function recordViolations({ files }: Repository): Violation[] {
  const listed = files.get(index) ?? ''
  const records = [...files].filter(([path]) => path.startsWith(folder) && path !== index).sort(([a], [b]) => (a < b ? -1 : 1))
  const numbers = new Map<string, string>()
  const found = records.flatMap(([path, text]) => {
    const name = path.slice(folder.length)
    const error = errorsIn(path)
    const problems: Violation[] = []
    const number = /^(\d{4})-/.exec(name)?.[1]
    const other = numbers.get(number ?? '')
    if (number === undefined) problems.push(error(1, 'INVALID_RECORD', 'has no number; expected a name like 0001-title.md'))
    else if (other !== undefined) problems.push(error(1, 'DUPLICATE_RECORD', `has the number of ${other}; expected one of its own`))
    else numbers.set(number, path)
    if (!listed.includes(`](${name})`)) problems.push(error(1, 'UNLISTED_RECORD', `is not in the index; expected a link to it in ${index}`))
    if (!/^Status: (proposed|accepted|superseded by \d{4}) · \d{4}-\d{2}-\d{2}\r?$/m.test(text))
      problems.push(
        error(1, 'INVALID_RECORD', 'has no status line; expected "Status: accepted · 2026-01-31", proposed or superseded by 0001'),
      )
    for (const part of parts)
      if (!new RegExp(`^## ${part}\\r?$`, 'm').test(text))
        problems.push(error(1, 'INVALID_RECORD', `has no section "${part}"; expected ${parts.join(', ')}`))
    return problems
  })
  return [...found, ...deadRows(listed, new Set(records.map(([path]) => path)))]
}

/** Rows of the index whose record is gone. */
function deadRows(listed: string, records: ReadonlySet<string>): Violation[] {
  return [...listed.matchAll(/\]\((\d{4}-[^)/]+\.md)\)/g)]
    .filter(({ 1: name }) => !records.has(`${folder}${name}`))
    .map(({ 1: name, index: offset }) =>
      errorsIn(index)(lineAt(listed, offset), 'UNLISTED_RECORD', `lists ${name}, which does not exist; expected a record`),
    )
}
