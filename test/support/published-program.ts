/** The program as it is published, in a folder with a manifest: what somebody sees who runs it. */
import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../../bin/stagecraft.js', import.meta.url))

export interface Said {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** Both streams. */
  readonly all: string
}

export class PublishedProgram {
  readonly directory: string

  /** @param tasks as in the manifest. */
  constructor(directory: string, tasks: Readonly<Record<string, object>>, more: object = {}) {
    this.directory = directory
    this.declare(tasks, more)
  }

  declare(tasks: Readonly<Record<string, object>>, more: object = {}): void {
    this.write('stagecraft.yml', JSON.stringify({ project: { name: 'shop' }, tasks, ...more }))
  }

  /** Times are those of the file system; what was written in the same tick is the program's to notice. */
  write(path: string, text: string): void {
    mkdirSync(dirname(this.path(path)), { recursive: true })
    writeFileSync(this.path(path), text)
  }

  append(path: string, text: string): void {
    appendFileSync(this.path(path), text)
  }

  read(path: string): string {
    return readFileSync(this.path(path), 'utf8')
  }

  remove(path: string): void {
    rmSync(this.path(path), { recursive: true, force: true })
  }

  path(path: string): string {
    return join(this.directory, path)
  }

  /** Words behind `stagecraft`. */
  say(words: string, env: Readonly<Record<string, string>> = {}): Said {
    const argv = [program, ...words.split(' ')]
    const given = { PATH: process.env['PATH'] ?? '', HOME: this.directory, ...env }
    const { status, stdout, stderr } = spawnSync(process.execPath, argv, {
      cwd: this.directory,
      env: given,
      encoding: 'utf8',
      timeout: 60_000,
    })
    return { code: status, stdout, stderr, all: `${stdout}${stderr}` }
  }

  /** Which tasks ran in `stagecraft run <words>`, sorted. @throws when it did not end with 0. */
  ran(words: string, env: Readonly<Record<string, string>> = {}): string[] {
    const { code, all, stdout } = this.say(`run ${words} --format json`, env)
    if (code !== 0) throw new Error(`stagecraft run ${words} ended with ${code}:\n${all}`)
    const events = stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : []))
    return events
      .filter(({ type, outcome }) => type === 'finished' && (outcome as { status?: string }).status === 'ran')
      .map(({ task }) => String(task).replace(/^exec:/, ''))
      .sort()
  }

  /** Whether a plain run, which may be answered from its certificate, says that there is nothing to do. */
  isUpToDate(words: string, env: Readonly<Record<string, string>> = {}): boolean {
    const { code, stdout, stderr } = this.say(`run ${words}`, env)
    return code === 0 && stdout.startsWith('nothing to do') && stderr === ''
  }

  /** Every file below a folder, project-relative. */
  files(folder = '.'): string[] {
    if (!existsSync(this.path(folder))) return []
    return readdirSync(this.path(folder), { recursive: true, encoding: 'utf8' })
      .map((name) => join(folder, name))
      .filter((name) => statSync(this.path(name), { throwIfNoEntry: false })?.isFile())
      .sort()
  }
}
