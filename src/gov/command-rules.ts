/** Pages of commands against the command table: flags both ways, exit codes that there are. */
import { type Page, sectionOf } from './page.ts'
import type { Register } from './register.ts'
import type { ProgramFacts } from './repository.ts'
import { errorsIn, lineAt, type Violation } from './violation.ts'

interface Mention {
  readonly flag: string
  /** Relative to `spec/`. */
  readonly path: string
  readonly line: number
}

/** Every command has a page of its own sort, which lists its flags; several commands may share one. */
export function flagViolations({ features }: Register, pages: readonly Page[], program: ProgramFacts): Violation[] {
  const found: Violation[] = []
  const flagsByPage = new Map<string, { feature: string; flags: Set<string> }>()
  for (const { name, feature, flags } of program.commands) {
    const spec = features.find(({ id }) => id === feature)?.spec
    const page = pages.find(({ path }) => path === spec)
    if (page === undefined || !page.path.startsWith('commands/')) {
      const error = errorsIn('spec/features.yaml', feature)
      found.push(error(1, 'COMMAND_WITHOUT_SPEC', `\`${name}\` is of ${feature}, which has no page in spec/commands; expected one`))
      continue
    }
    const known = flagsByPage.get(page.path) ?? { feature, flags: new Set() }
    for (const flag of flags) known.flags.add(flag)
    flagsByPage.set(page.path, known)
    const mentioned = new Set(mentions(page, pages).map(({ flag }) => flag))
    const line = sectionOf(page, 'Inputs')?.line ?? 1
    for (const flag of flags.filter((one) => !mentioned.has(one)))
      found.push(
        errorsIn(`spec/${page.path}`, feature)(line, 'FLAG_UNDOCUMENTED', `\`${name}\` has --${flag}; expected it in the section "Inputs"`),
      )
  }
  for (const page of pages) {
    const known = flagsByPage.get(page.path)
    if (known === undefined) continue
    const unknown = mentions(page, pages).filter(({ flag }) => !known.flags.has(flag) && !program.globalFlags.includes(flag))
    for (const { flag, path, line } of unknown)
      found.push(
        errorsIn(`spec/${path}`, known.feature)(
          line,
          'FLAG_UNKNOWN',
          `lists --${flag}; expected flags that a command of ${known.feature} has`,
        ),
      )
  }
  return found
}

/** Flags in the inputs of a page and of the pages that its inputs refer to. */
function mentions(page: Page, pages: readonly Page[], seen: ReadonlySet<string> = new Set()): Mention[] {
  const inputs = sectionOf(page, 'Inputs')
  if (inputs === undefined || seen.has(page.path)) return []
  const own = [...inputs.text.matchAll(/(?<![-\w])--([a-z][a-z-]*)/g)].map(({ 1: flag = '', index }) => ({
    flag,
    path: page.path,
    line: inputs.line + lineAt(inputs.text, index),
  }))
  const others = [...inputs.text.matchAll(/\]\(([a-z-]+\.md)\)/g)].map(([, name = '']) => page.path.replace(/[^/]+$/, name))
  const visited = new Set([...seen, page.path])
  return [...own, ...pages.filter(({ path }) => others.includes(path)).flatMap((other) => mentions(other, pages, visited))]
}

/** Pages of commands say when each exit code is given; `known`: those there are, undefined where nobody knows. */
export function exitCodeViolations({ features }: Register, pages: readonly Page[], known: readonly number[] | undefined): Violation[] {
  return pages.flatMap((page) => {
    const section = sectionOf(page, 'Exit codes')
    if (!page.path.startsWith('commands/') || section === undefined) return []
    const error = errorsIn(`spec/${page.path}`, features.find(({ spec }) => spec === page.path)?.id)
    const rows = [...section.text.matchAll(/^\| (\d+) +\| \S/gm)]
    if (rows.length === 0) return [error(section.line, 'EXIT_CODE_MISSING', 'lists no exit code; expected rows like `| 0 | done |`')]
    return rows
      .filter(([, code]) => known !== undefined && !known.includes(Number(code)))
      .map(({ 1: code, index }) =>
        error(
          section.line + lineAt(section.text, index),
          'EXIT_CODE_UNKNOWN',
          `lists exit code ${code}; expected one of ${known?.join(', ')}`,
        ),
      )
  })
}
