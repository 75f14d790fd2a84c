/**
 * What a run leaves on disk while it runs, so that after a `kill -9` the next one in the checkout can clean up: one small file,
 * `<project>/.stagecraft/run/<pid>-<cookie>`. Its first line says whose it is; `+n` and `-n` follow for each program started and ended.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, futimesSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isGone, thisProcess } from '../releases/process-identity.ts'
import type { ReleaseOwner } from '../releases/release.ts'
import { OutputPipes } from './output-pipes.ts'

export interface RunRecord {
  /** How the cookies of this run's programs begin. */
  readonly cookie: string
  /** Where runs of this checkout meet. */
  readonly directory: string
  /** The first line of the file. */
  readonly head: string
  /** Pipes for what programs print; none where nothing may be written. */
  readonly pipes?: OutputPipes
  /** The file, made when first asked for. */
  path(): string
  /** A program is about to start. @returns its cookie. */
  started(): string
  ended(cookie: string): void
  /** Removes the file. */
  close(): void
}

/** What another run wrote. */
export interface OtherRun {
  readonly owner: ReleaseOwner
  readonly cookie: string
  /** Cookies of programs that it started and did not see the end of. */
  readonly running: readonly string[]
}

/** So often a run shows that it is alive, for those who cannot look at its processes: in another container, or on another machine. */
const heartbeatMs = 5000
/** After so long without a sign, a run of another machine is taken to be gone. */
const silentMs = 60_000

/** @param isKept false for who may write nothing: then nobody cleans up after a `kill -9`. */
export function createRunRecord(directory: string, isKept = true): RunRecord {
  const cookie = randomBytes(12).toString('hex')
  const path = join(directory, `${process.pid}-${cookie}`)
  const head = `${JSON.stringify({ owner: thisProcess(), cookie })}\n`
  let file: number | undefined
  let heartbeat: NodeJS.Timeout | undefined
  let count = 0
  const open = (): number => {
    if (file !== undefined) return file
    mkdirSync(directory, { recursive: true })
    const opened = openSync(path, 'wx', 0o600)
    writeSync(opened, head)
    heartbeat = setInterval(() => futimesSync(opened, new Date(), new Date()), heartbeatMs).unref()
    file = opened
    return opened
  }
  const pipes = isKept ? new OutputPipes(pipesOf(cookie)) : undefined
  return {
    cookie,
    directory,
    head,
    ...(pipes ? { pipes } : {}),
    path() {
      open()
      return path
    },
    started() {
      count += 1
      if (isKept) writeSync(open(), `+${count}\n`)
      return `${cookie}-${count}.`
    },
    ended(ofProgram) {
      if (isKept) writeSync(open(), `-${ofProgram.slice(cookie.length + 1, -1)}\n`)
    },
    close() {
      pipes?.close()
      if (file === undefined) return
      clearInterval(heartbeat)
      closeSync(file)
      rmSync(path, { force: true })
      file = undefined
    },
  }
}

/** Removes what a run left on disk. */
export function removeRun(path: string, { cookie }: OtherRun): void {
  rmSync(path, { force: true })
  rmSync(pipesOf(cookie), { recursive: true, force: true })
}

/** Not in the project: a tool that reads every file below it would wait for a pipe. */
const pipesOf = (cookie: string): string => join(tmpdir(), `stagecraft-${cookie}`)

/** @returns undefined for a file that is not, or not yet, a run's. */
export function readRun(path: string): OtherRun | undefined {
  try {
    const [head = '', ...lines] = readFileSync(path, 'utf8').split('\n')
    const { owner, cookie } = JSON.parse(head) as Partial<OtherRun>
    if (owner === undefined || typeof cookie !== 'string' || !/^[0-9a-f]{24}$/.test(cookie)) return undefined
    const running = new Set<string>()
    for (const line of lines) {
      if (line.startsWith('+')) running.add(line.slice(1))
      else running.delete(line.slice(1))
    }
    return { owner, cookie, running: [...running].map((count) => `${cookie}-${count}.`) }
  } catch {
    return undefined
  }
}

/** Whether the run that wrote a file is over. `path` is the file, or a link to it. */
export function isOver(run: OtherRun, path: string): boolean {
  if (isGone(run.owner)) return true
  if (run.owner.host === thisProcess().host) return false
  const touched = statSync(path, { throwIfNoEntry: false })?.mtimeMs
  return touched === undefined || Date.now() - touched > silentMs
}

/** Runs of this checkout that ended without removing their file. */
export function deadRuns(directory: string): readonly { readonly path: string; readonly run: OtherRun }[] {
  let names: string[]
  try {
    names = readdirSync(directory)
  } catch {
    return []
  }
  return names
    .filter((name) => /^\d+-[0-9a-f]{24}$/.test(name))
    .flatMap((name) => {
      const path = join(directory, name)
      const run = readRun(path)
      return run && isOver(run, path) ? [{ path, run }] : []
    })
}
