/** Pages and the register tell one story: one owner, the same status, the parts that a page of its sort has. */
import type { Page } from './page.ts'
import type { Feature, Register } from './register.ts'
import { errorsIn, lineOf, type Violation } from './violation.ts'

export function pageViolations({ features }: Register, pages: readonly Page[]): Violation[] {
  return pages.flatMap((page) => {
    const owners = features.filter(({ spec }) => spec === page.path)
    const [owner] = owners
    const error = errorsIn(`spec/${page.path}`, owner?.id)
    const found: Violation[] = []
    if (owner === undefined) found.push(error(1, 'ORPHAN_SPEC', 'belongs to no feature; expected one that names it as `spec`'))
    if (owners.length > 1)
      found.push(error(1, 'SHARED_SPEC', `belongs to ${owners.map(({ id }) => id).join(' and ')}; expected one feature`))
    return [...found, ...frontMatter(page, owner), ...sections(page, owner)]
  })
}

function frontMatter({ path, front, text }: Page, owner: Feature | undefined): Violation[] {
  const error = errorsIn(`spec/${path}`, owner?.id)
  if (front === undefined)
    return [error(1, 'INVALID_FRONTMATTER', 'has no front matter; expected feature, version, status and domain between two lines of ---')]
  const [folder = ''] = path.split('/')
  const expected: readonly (readonly [key: string, holds: boolean, wanted: string])[] = [
    ['feature', owner === undefined || front['feature'] === owner.id, `${owner?.id}, whose page it is`],
    ['status', owner === undefined || front['status'] === owner.status, `${owner?.status}, as in the register`],
    ['version', /^v\d+$/.test(String(front['version'])), 'v1, v2, …'],
    ['domain', front['domain'] === folder, `${folder}, its folder`],
  ]
  return expected.flatMap(([key, holds, wanted]) => {
    const said = front[key] === undefined ? `does not say its ${key}` : `says ${key} ${front[key]}`
    return holds ? [] : [error(lineOf(text, new RegExp(`^${key}:`, 'm')), 'INVALID_FRONTMATTER', `${said}; expected ${wanted}`)]
  })
}

function sections({ path, headings, text }: Page, owner: Feature | undefined): Violation[] {
  const error = errorsIn(`spec/${path}`, owner?.id)
  const found: Violation[] = []
  if (owner?.status === 'wip' && !headings.includes('Not yet'))
    found.push(error(1, 'MISSING_SECTION', 'is wip but has no section "Not yet"; expected what is missing'))
  if (owner?.status === 'done' && headings.includes('Not yet'))
    found.push(
      error(lineOf(text, /^## Not yet/m), 'STATUS_INCONSISTENT', 'is done but has a section "Not yet"; expected wip, or no such section'),
    )
  if (path.startsWith('commands/') && !headings.includes('Exit codes'))
    found.push(error(1, 'MISSING_SECTION', 'has no section "Exit codes"; expected a table of them'))
  return found
}
