/** Writes what was measured into docs/benchmarks.md, between two markers; the words around it are written by hand. */
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import type { Times } from './measure.ts'

export interface Row {
  readonly what: string
  readonly times?: Times
  /** Further cells. */
  readonly more: readonly string[]
}

export interface Section {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly Row[]
  readonly note?: string
}

const markers = ['<!-- npm run bench writes from here -->', '<!-- to here -->'] as const

export function machineLine(): string {
  const [processor] = cpus()
  const memory = Math.round(totalmem() / 1024 ** 3)
  const load = loadavg()[0]?.toFixed(1)
  return `${processor?.model.trim()}, ${cpus().length} processors, ${memory} GiB, Linux ${release()}, Node ${process.version}; load when it began: ${load}`
}

export function renderSections(heading: readonly string[], sections: readonly Section[]): string {
  return `${[...heading, ...sections.map(renderSection)].join('\n\n')}\n`
}

function renderSection({ title, columns, rows, note }: Section): string {
  const table = [
    [title, 'median', 'min – max', ...columns],
    ['---', '---:', '---:', ...columns.map(() => '---:')],
    ...rows.map(({ what, times, more }) => [
      what,
      times ? `${shown(times.median)}` : '',
      times ? `${shown(times.min)} – ${shown(times.max)}` : '',
      ...more,
    ]),
  ]
  return [...table.map((cells) => `| ${cells.join(' | ')} |`), ...(note === undefined ? [] : ['', note])].join('\n')
}

function shown(ms: number): string {
  return ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : `${Math.round(ms)} ms`
}

/** @throws Error when the file has lost its markers. */
export function writeBetweenMarkers(path: string, text: string): void {
  const before = readFileSync(path, 'utf8')
  const [start, end] = markers.map((marker) => before.indexOf(marker))
  if (start === undefined || end === undefined || start < 0 || end < start)
    throw new Error(`${path} needs the lines ${markers.join(' and ')}`)
  writeFileSync(path, `${before.slice(0, start)}${markers[0]}\n\n${text}\n${before.slice(end)}`)
}
