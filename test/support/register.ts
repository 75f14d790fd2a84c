/** The feature register (spec/features.yaml), the spec pages, and the rules between them (spec/README.md). */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parse, parseDocument } from 'yaml'
import { filesBelow, repository, textOf } from './source-tree.ts'

export const statuses = ['todo', 'wip', 'done', 'deprecated', 'removed', 'cancelled', 'v2'] as const
export type Status = (typeof statuses)[number]

export interface Feature {
  readonly id: string
  readonly title: string
  readonly phase: string | number
  readonly status: Status
  /** Relative to `spec/`. */
  readonly spec?: string
  /** Relative to the repository. */
  readonly tests?: readonly string[]
  readonly depends_on?: readonly string[]
}

export interface Page {
  /** Relative to `spec/`. */
  readonly path: string
  /** Undefined when there is none, or it is not a map. */
  readonly front?: Readonly<Record<string, unknown>>
  /** Second-level headings, in order. */
  readonly headings: readonly string[]
  readonly text: string
}

export interface Register {
  readonly features: readonly Feature[]
  readonly pages: readonly Page[]
  readonly exists: (path: string) => boolean
}

/** Pages about the pages themselves: no feature owns them. */
const unowned = ['README.md', 'diagnostics.md']
const featureKeys = ['id', 'title', 'phase', 'status', 'spec', 'tests', 'depends_on']
const phases = ['architecture', 'governance', 'ours', 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]

/** @throws Error when features.yaml is not YAML: nothing else can be said then. */
export function loadRegister(): Register {
  const document = parseDocument(textOf('spec/features.yaml'))
  if (document.errors.length > 0) throw new Error(document.errors.map(({ message }) => message).join('\n'))
  const { features } = document.toJS() as { features: Feature[] }
  const pages = filesBelow('spec', '.md').map((path) => page(path.slice('spec/'.length), textOf(path)))
  return { features, pages, exists: (path) => existsSync(join(repository, path)) }
}

export function page(path: string, text: string): Page {
  const front = /^---\n([\s\S]*?)\n---\n/.exec(text)?.[1]
  const values: unknown = front === undefined ? undefined : parse(front)
  const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading ?? '')
  const isMap = typeof values === 'object' && values !== null && !Array.isArray(values)
  return { path, headings, text, ...(isMap ? { front: values as Readonly<Record<string, unknown>> } : {}) }
}

export function entryProblems({ features }: Register): string[] {
  return features.flatMap((feature, index) => {
    const { id, title, phase, status } = feature
    const problems: string[] = []
    if (!/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/.test(id)) problems.push('is not in SCREAMING_SNAKE case')
    if (features.findIndex((other) => other.id === id) !== index) problems.push('is listed twice')
    if (typeof title !== 'string' || title.trim() === '') problems.push('has no title')
    if (!phases.includes(phase)) problems.push(`has phase ${phase}`)
    if (!statuses.includes(status)) problems.push(`has status ${status}, not one of ${statuses.join(', ')}`)
    for (const key of Object.keys(feature)) if (!featureKeys.includes(key)) problems.push(`has an unknown key ${key}`)
    return problems.map((problem) => `${id} ${problem}`)
  })
}

/** What a status claims must be there. */
export function claimProblems({ features, exists }: Register): string[] {
  return features.flatMap(({ id, status, spec, tests = [] }) => {
    const claims = status === 'done' || status === 'wip'
    const problems: string[] = []
    if (claims && spec === undefined) problems.push(`is ${status} but names no spec page`)
    if (claims && tests.length === 0) problems.push(`is ${status} but names no test`)
    if (spec !== undefined && !exists(`spec/${spec}`)) problems.push(`names spec/${spec}, which does not exist`)
    for (const path of tests) if (!exists(path)) problems.push(`names ${path}, which does not exist`)
    return problems.map((problem) => `${id} ${problem}`)
  })
}

export function pageProblems({ features, pages }: Register): string[] {
  return pages
    .filter(({ path }) => !unowned.includes(path))
    .flatMap(({ path, front, headings }) => {
      const owners = features.filter(({ spec }) => spec === path)
      const [owner] = owners
      const problems: string[] = []
      if (owner === undefined) problems.push('belongs to no feature')
      if (owners.length > 1) problems.push(`belongs to ${owners.map(({ id }) => id).join(' and ')}`)
      if (front === undefined) problems.push('has no front matter')
      else {
        if (owner && front['feature'] !== owner.id) problems.push(`says feature ${front['feature']}, the register says ${owner.id}`)
        if (owner && front['status'] !== owner.status) problems.push(`says status ${front['status']}, the register says ${owner.status}`)
        if (!/^v\d+$/.test(String(front['version']))) problems.push(`says version ${front['version']}, not v1, v2, …`)
        if (front['domain'] !== path.split('/')[0]) problems.push(`says domain ${front['domain']}, its folder is ${path.split('/')[0]}`)
      }
      if (owner?.status === 'wip' && !headings.includes('Not yet')) problems.push('is wip but has no section "Not yet"')
      if (owner?.status === 'done' && headings.includes('Not yet')) problems.push('is done but has a section "Not yet"')
      if (path.startsWith('commands/') && !headings.includes('Exit codes')) problems.push('has no section "Exit codes"')
      return problems.map((problem) => `spec/${path} ${problem}`)
    })
}

export function dependencyProblems({ features }: Register): string[] {
  const byId = new Map(features.map((feature) => [feature.id, feature]))
  const problems: string[] = []
  for (const { id, status, depends_on = [] } of features) {
    for (const name of depends_on) {
      const found = byId.get(name)
      if (!found) problems.push(`${id} depends on ${name}, which is not listed`)
      else if (status === 'done' && found.status !== 'done' && found.status !== 'wip')
        problems.push(`${id} is done but depends on ${name}, which is ${found.status}`)
    }
  }
  return [...problems, ...cycles(byId)]
}

function cycles(byId: ReadonlyMap<string, Feature>): string[] {
  const settled = new Set<string>()
  const found: string[] = []
  const visit = (id: string, path: readonly string[]): void => {
    if (path.includes(id)) found.push(`features depend on each other: ${[...path.slice(path.indexOf(id)), id].join(' → ')}`)
    if (path.includes(id) || settled.has(id)) return
    for (const next of byId.get(id)?.depends_on ?? []) visit(next, [...path, id])
    settled.add(id)
  }
  for (const id of byId.keys()) visit(id, [])
  return found
}
