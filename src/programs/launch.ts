/** One program of the user's: started, listened to, and watched to the end of all it started. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import { TaskFailure } from '../../tasks/kind.ts'
import type { ProgramEnd, ProgramRequest, RunningProgram } from '../../tasks/ports.ts'
import { closeWriteEnd } from './output-pipes.ts'
import type { ProcessEntry } from './process-table.ts'
import { cookieVariable, endTree, groupMembers, membersOf, type ProcessTree } from './process-tree.ts'
import { ProgramLines } from './program-lines.ts'
import type { RunRecord } from './run-record.ts'
import { adoptTree } from './running-programs.ts'

export interface Launcher {
  /** Applied to every line that leaves. */
  readonly redact: (text: string) => string
  readonly record: RunRecord
  /** The cookie of the program that this process is itself part of. */
  readonly outerCookie?: string
}

/** Between SIGTERM and SIGKILL. */
export const graceMs = 5000
/** After a program has ended by itself: how long what it left in the background may take to end too, and to let go of its output. */
const lingerMs = 500

/** @throws TaskFailure when it could not be started. */
export async function launch(request: ProgramRequest, onLine: (line: string) => void, launcher: Launcher): Promise<RunningProgram> {
  const [file, ...args] = request.argv
  const cookie = launcher.record.started()
  const marks = { [cookieVariable]: launcher.outerCookie === undefined ? cookie : `${cookie} ${launcher.outerCookie}` }
  const pipe = launcher.record.pipes?.open()
  const end = pipe?.writeEnd ?? 'pipe'
  const env = { ...request.env, ...marks }
  const child = spawn(file, args, { cwd: request.cwd, env, detached: true, stdio: ['ignore', end, end] })
  closeWriteEnd(pipe)
  const streams = pipe ? [pipe.stream] : [child.stdout, child.stderr].filter((stream) => stream !== null)
  const outputs = streams.map((stream) => listen(stream, launcher.redact, onLine))
  const { pid } = child
  if (pid === undefined) {
    launcher.record.ended(cookie)
    throw await notStarted(child, request)
  }
  const tree: ProcessTree = { group: pid, cookie }
  const disown = adoptTree(tree)

  let stopping: Promise<void> | undefined
  const stop = () => {
    stopping ??= endTree(tree, graceMs).then(() => letGo(outputs))
    return stopping
  }
  const ended = endOf(child).then(async (end) => {
    // Ended by us: what is left of it is being ended already. By itself: it may have left something behind.
    const left = stopping !== undefined ? [] : await leftBehind(outputs, tree)
    if (left.length > 0) {
      onLine(`warning: it ended and left ${named(left)} running, which is ended now`)
      await stop()
    }
    await stopping
    disown()
    launcher.record.ended(cookie)
    return end
  })
  return {
    pid,
    ended,
    async stop() {
      await stop()
      await ended
    },
  }
}

interface Output {
  readonly stream: Readable
  /** Settles when its last line has been passed on. */
  readonly closed: Promise<void>
}

function listen(stream: Readable, redact: (text: string) => string, onLine: (line: string) => void): Output {
  const lines = new ProgramLines(redact, onLine)
  stream.on('data', (chunk: Buffer) => lines.write(chunk))
  const closed = new Promise<void>((resolve) => {
    stream.on('close', () => {
      lines.end()
      resolve()
    })
  })
  return { stream, closed }
}

/** Settles when the program itself has ended; its output may not be complete yet. */
function endOf(child: ChildProcess): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      resolve(signal === null ? { code: code ?? 0 } : { code: 128 + constants.signals[signal], signal })
    })
  })
}

/**
 * What of a tree still runs a moment after its leader ended: in its group, or holding on to its output. A daemon that left the group and
 * has an output of its own meant to stay, and does.
 */
async function leftBehind(outputs: readonly Output[], tree: ProcessTree): Promise<readonly ProcessEntry[]> {
  const deadline = Date.now() + lingerMs
  const isClosed = await closedWithin(outputs, lingerMs)
  if (!isClosed) return membersOf(tree)
  let left = groupMembers(tree)
  while (left.length > 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    left = groupMembers(tree)
  }
  return left
}

/** Never judged by the stream's own `closed`: a socket says so before its last listeners have heard of it. */
async function closedWithin(outputs: readonly Output[], ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false)
  })
  const closed = Promise.all(outputs.map((output) => output.closed)).then(() => true)
  return Promise.race([closed, late]).finally(() => clearTimeout(timer))
}

/** Output that somebody else holds open, whom we may not end, is not waited for. */
async function letGo(outputs: readonly Output[]): Promise<void> {
  if (await closedWithin(outputs, lingerMs)) return
  for (const { stream } of outputs) stream.destroy()
  await closedWithin(outputs, lingerMs)
}

function named(processes: readonly ProcessEntry[]): string {
  const names = processes.slice(0, 3).map(({ name, pid }) => `${name} (${pid})`)
  return processes.length > 3 ? `${names.join(', ')} and ${processes.length - 3} more` : names.join(', ')
}

async function notStarted(child: ChildProcess, { argv: [file], cwd }: ProgramRequest): Promise<TaskFailure> {
  const error = await new Promise<NodeJS.ErrnoException>((resolve) => child.once('error', resolve))
  // The system says ENOENT for a missing folder too, and means the program.
  if (!existsSync(cwd))
    return refusal(cwd, `\`${file}\` was to run in ${cwd}, which does not exist`, `create ${cwd}, or correct \`cwd\``, error)
  switch (error.code) {
    case 'ENOENT':
      return refusal(file, `\`${file}\` was not found`, `install \`${file}\`, or add its folder to PATH`, error)
    case 'EACCES':
      return refusal(file, `\`${file}\` may not be executed`, `make it executable: chmod +x ${file}`, error)
    case 'E2BIG':
      return refusal(file, `\`${file}\` was given more arguments and variables than the system takes`, 'pass large values by file', error)
    default:
      return refusal(file, `\`${file}\` could not be started: ${error.message}`, `try to run \`${file}\` by hand`, error)
  }
}

function refusal(subject: string, message: string, remedy: string, cause: unknown): TaskFailure {
  return new TaskFailure({ reason: 'refused', subject, message, remedy }, { cause })
}
