/** A spec page, read from its text. */
import type { Json } from '../../graph/types.ts'
import { isObject } from '../config/json-path.ts'
import { parseYaml } from '../config/yaml-tree.ts'
import type { Repository } from './repository.ts'
import { lineAt } from './violation.ts'

export interface Page {
  /** Relative to `spec/`. */
  readonly path: string
  /** Undefined when there is none, or it is not a map. */
  readonly front?: Readonly<Record<string, Json>>
  /** Second-level headings, in order. */
  readonly headings: readonly string[]
  readonly text: string
}

export interface Section {
  readonly text: string
  /** Line of the page that its heading is on. */
  readonly line: number
}

export function readPage(path: string, text: string): Page {
  const front = /^---\r?\n([\s\S]*?)\r?\n---(?:\r?\n|$)/.exec(text)?.[1]
  const { tree } = front === undefined ? {} : parseYaml(front, path)
  const headings = [...text.matchAll(/^## (.+?)\r?$/gm)].map(([, heading]) => heading ?? '')
  return { path, headings, text, ...(isObject(tree?.value) ? { front: tree.value } : {}) }
}

/** Pages of features, sorted by path: those in a folder. What lies in `spec/` itself is about the pages, and no feature's. */
export function pagesOf({ files }: Repository): Page[] {
  const paths = [...files.keys()].filter((path) => /^spec\/.+\/[^/]+\.md$/.test(path)).sort()
  return paths.map((path) => readPage(path.slice('spec/'.length), files.get(path) ?? ''))
}

/** The text below a second-level heading, that line excluded. */
export function sectionOf({ text }: Page, heading: string): Section | undefined {
  const found = new RegExp(`^## ${heading}\\r?\\n([\\s\\S]*?)(?=^## |(?![\\s\\S]))`, 'm').exec(text)
  return found === null ? undefined : { text: found[1] ?? '', line: lineAt(text, found.index) }
}
