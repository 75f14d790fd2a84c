/** One program of the user's: started, listened to, and watched to the end of all it started. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { TaskFailure } from '../../tasks/kind.ts'
import type { ProgramEnd, ProgramRequest, RunningProgram } from '../../tasks/ports.ts'
import { closeWriteEnd, type OutputPipe } from './output-pipes.ts'
import type { ProcessEntry } from './process-table.ts'
import { cookieVariable, endTree, groupMembers, membersOf, type ProcessTree } from './process-tree.ts'
import { programEnd } from './program-end.ts'
import { type Lines, type Output, outputOfPipe, outputOfStream } from './program-output.ts'
import type { RunRecord } from './run-record.ts'
import { adoptTree } from './running-programs.ts'
import { countedSpawner, type Started } from './spawner.ts'

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
  const cookie = launcher.record.started()
  const marks = { [cookieVariable]: launcher.outerCookie === undefined ? cookie : `${cookie} ${launcher.outerCookie}` }
  const pipe = launcher.record.pipes?.open()
  const lines = { redact: launcher.redact, onLine }
  const piped = pipe && outputOfPipe(pipe, lines)
  // Known by its cookie from before it is there, in case we are told to leave meanwhile.
  const disownUnborn = adoptTree({ cookie })
  let started: Started & { readonly outputs: readonly Output[] }
  try {
    started = await start(request, { ...request.env, ...marks }, pipe, lines, piped)
  } catch (error) {
    launcher.record.ended(cookie)
    throw notStarted(error as NodeJS.ErrnoException, request)
  } finally {
    closeWriteEnd(pipe)
    disownUnborn()
  }
  const { pid, outputs } = started
  const tree: ProcessTree = { group: pid, cookie }
  const disown = adoptTree(tree)

  let stopping: Promise<void> | undefined
  const stop = () => {
    stopping ??= endTree(tree, graceMs).then(() => letGo(outputs))
    return stopping
  }
  const ended = started.ended.then(async (end) => {
    for (const output of outputs) output.catchUp()
    // Ended by us: what is left of it is being ended already. By itself: it may have left something behind.
    const left = stopping !== undefined ? [] : await leftBehind(outputs, tree)
    if (end === undefined) {
      onLine('error: the process that starts programs for this run was ended, and with it this one')
      await stop()
    } else if (left.length > 0) {
      onLine(`warning: it ended and left ${named(left)} running, which is ended now`)
      await stop()
    }
    await stopping
    disown()
    launcher.record.ended(cookie)
    return end ?? programEnd(null, 'SIGKILL')
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

/** By the spawner, where there is one and a pipe that it can open too; else from here. @throws the system's error. */
async function start(
  { argv, cwd }: ProgramRequest,
  env: Readonly<Record<string, string>>,
  pipe: OutputPipe | undefined,
  lines: Lines,
  piped: Output | undefined,
): Promise<Started & { readonly outputs: readonly Output[] }> {
  const spawner = pipe && countedSpawner()
  if (spawner) return { ...(await spawner.start({ argv, cwd, env, output: pipe.path })), outputs: piped ? [piped] : [] }
  const [file, ...args] = argv
  const end = pipe?.writeEnd ?? 'pipe'
  const child = spawn(file, args, { cwd, env, detached: true, stdio: ['ignore', end, end] })
  const own = [child.stdout, child.stderr].filter((stream) => stream !== null)
  const outputs = piped ? [piped] : own.map((stream) => outputOfStream(stream, lines))
  const { pid } = child
  if (pid === undefined) throw await new Promise((resolve) => child.once('error', resolve))
  return { pid, ended: endOf(child), outputs }
}

/** Settles when the program itself has ended; its output may not be complete yet. */
function endOf(child: ChildProcess): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(programEnd(code, signal)))
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
  for (const output of outputs) output.giveUp()
  await closedWithin(outputs, lingerMs)
}

function named(processes: readonly ProcessEntry[]): string {
  const names = processes.slice(0, 3).map(({ name, pid }) => `${name} (${pid})`)
  return processes.length > 3 ? `${names.join(', ')} and ${processes.length - 3} more` : names.join(', ')
}

function notStarted(error: NodeJS.ErrnoException, { argv: [file], cwd }: ProgramRequest): TaskFailure {
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
