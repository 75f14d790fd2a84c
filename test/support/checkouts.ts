/** Copies of one project on one machine, run by the program as it is published: what a CI runner and laptops are to each other. */
import { spawn } from 'node:child_process'
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../../bin/stagecraft.js', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Checkout {
  readonly directory: string
  run(words: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended>
  /** Names that tasks left in the file `ran`, each time they ran, since the last call. */
  ran(): readonly string[]
  /** Everything below a folder: bytes, permission bits, where links lead. */
  tree(folder: string): Readonly<Record<string, string>>
  write(path: string, text: string): void
}

/** A new copy with these files; what other copies made is not in it. */
export function checkout(parent: string, name: string, files: Readonly<Record<string, string>>): Checkout {
  const directory = join(parent, name)
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  for (const [path, text] of Object.entries(files)) write(path, text)
  let seen = 0
  return {
    directory,
    write,
    async run(words, env = {}) {
      const base = { PATH: process.env['PATH'] ?? '', HOME: directory, NO_COLOR: '1' }
      const child = spawn(process.execPath, [program, ...words], { cwd: directory, env: { ...base, ...env } })
      const text = { stdout: '', stderr: '' }
      for (const stream of ['stdout', 'stderr'] as const) child[stream].setEncoding('utf8').on('data', (chunk) => (text[stream] += chunk))
      const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
      return { code, ...text }
    },
    ran() {
      const all = existsSync(join(directory, 'ran')) ? readFileSync(join(directory, 'ran'), 'utf8').split('\n').filter(Boolean) : []
      const fresh = all.slice(seen)
      seen = all.length
      return fresh.sort()
    },
    tree(folder) {
      const entries = readdirSync(join(directory, folder), { recursive: true, encoding: 'utf8' }).sort()
      return Object.fromEntries(entries.map((path) => [path, described(join(directory, folder, path))]))
    },
  }
}

/** Puts the files of one folder into another, as a tampering hand would. */
export function copyFiles(from: string, to: string): void {
  cpSync(from, to, { recursive: true })
}

function described(path: string): string {
  const stat = lstatSync(path)
  if (stat.isSymbolicLink()) return `link to ${readlinkSync(path)}`
  if (stat.isDirectory()) return 'folder'
  return `${(stat.mode & 0o777).toString(8)} ${readFileSync(path).toString('base64')}`
}
