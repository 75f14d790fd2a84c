/** Programs of the user's, on this machine. Started by Node itself rather than by execa, which doubles the 2 ms that a start takes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { TaskFailure } from '../../tasks/kind.ts'
import type { ProgramRequest, Programs, RunningProgram } from '../../tasks/ports.ts'
import { OutputLines } from '../hosts/output-lines.ts'
import { adoptGroup, endGroup } from '../hosts/process-group.ts'

const graceMs = 5000

/** @param redact applied to every line that leaves. */
export function createPrograms(redact: (text: string) => string): Programs {
  return {
    async run(request, onLine, signal) {
      const program = await launch(request, (line) => onLine(redact(line)))
      let cut: 'interrupted' | 'timeout' | undefined
      const cutOff = (why: typeof cut) => {
        cut ??= why
        void program.stop()
      }
      const onAbort = () => cutOff('interrupted')
      if (signal.aborted) onAbort()
      signal.addEventListener('abort', onAbort, { once: true })
      const timer = request.timeoutMs === undefined ? undefined : setTimeout(cutOff, request.timeoutMs, 'timeout')
      try {
        const { code } = await program.ended
        if (cut === undefined) return { code }
        await program.stop()
        throw stopped(cut, request)
      } finally {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
      }
    },
    start: (request, onLine) => launch(request, (line) => onLine(redact(line))),
  }
}

async function launch({ argv, cwd, env }: ProgramRequest, onLine: (line: string) => void): Promise<RunningProgram> {
  const [file, ...args] = argv
  const child = spawn(file, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const { pid } = child
  if (pid === undefined) throw await notStarted(child, file, cwd)
  const disown = adoptGroup(pid)
  for (const stream of [child.stdout, child.stderr]) {
    const lines = new OutputLines(0, onLine)
    stream.on('data', (chunk: Buffer) => lines.write(chunk))
    stream.on('end', () => lines.end())
  }
  const ended = new Promise<{ code: number }>((resolve) => {
    child.on('close', (code, signal) => {
      disown()
      resolve({ code: code ?? 128 + (signal === null ? 0 : constants.signals[signal]) })
    })
  })
  return {
    pid,
    ended,
    async stop() {
      await endGroup(pid, graceMs)
      await ended
    },
  }
}

function stopped(reason: 'interrupted' | 'timeout', { argv: [file], timeoutMs = 0 }: ProgramRequest): TaskFailure {
  const message = reason === 'timeout' ? `\`${file}\` did not end within ${timeoutMs / 1000} s` : `\`${file}\` was interrupted`
  return new TaskFailure({ reason, subject: file, message })
}

async function notStarted(child: ChildProcess, file: string, cwd: string): Promise<TaskFailure> {
  const error = await new Promise<NodeJS.ErrnoException>((resolve) => child.once('error', resolve))
  return new TaskFailure(
    {
      reason: 'refused',
      subject: file,
      message: `\`${file}\` could not be started in ${cwd}: ${error.message}`,
      remedy: `install \`${file}\`, or add its folder to PATH`,
    },
    { cause: error },
  )
}
