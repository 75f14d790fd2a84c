import { readFile } from 'node:fs/promises'
import type { Checked, Diagnostic, Note } from '../../graph/types.ts'
import { problem } from './diagnostic.ts'

/** The text of one of the user's files. `shown` is how messages name it; `whenAbsent` says what to do about an absent one. */
export async function readSource(path: string, shown: string, whenAbsent: () => Promise<readonly Note[]>): Promise<Checked<string>> {
  try {
    const bytes = await readFile(path)
    return { ok: true, value: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch (error) {
    return { ok: false, diagnostics: [await unreadable(error, shown, whenAbsent)] }
  }
}

async function unreadable(error: unknown, shown: string, whenAbsent: () => Promise<readonly Note[]>): Promise<Diagnostic> {
  const code = (error as NodeJS.ErrnoException).code
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return problem('SC1001', `\`${shown}\` does not exist`, undefined, { notes: await whenAbsent() })
    case 'EISDIR':
      return problem('SC1002', `\`${shown}\` is a directory, expected a file`)
    case 'ERR_ENCODING_INVALID_ENCODED_DATA':
      return problem('SC1004', `\`${shown}\` is not UTF-8 text`)
    default:
      if (code === undefined) throw error
      return problem('SC1004', `cannot read \`${shown}\`: ${code}`)
  }
}
