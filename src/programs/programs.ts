/** Programs of the user's, on this machine. Started by Node itself rather than by execa, which doubles the 2 ms that a start takes. */
import { TaskFailure } from '../../tasks/kind.ts'
import type { ProgramRequest, Programs } from '../../tasks/ports.ts'
import { graceMs, type Launcher, launch } from './launch.ts'
import { endTree, membersOf } from './process-tree.ts'
import { deadRuns, removeRun } from './run-record.ts'

export interface ProgramsOptions extends Launcher {
  /** Told of what a run that was killed had left running. */
  readonly warn: (message: string) => void
}

export function createPrograms(options: ProgramsOptions): Programs {
  let swept: Promise<void> | undefined
  /** Before the first program of a run starts: what a killed run left in this checkout would be in its way. */
  const begin = async (request: ProgramRequest, onLine: (line: string) => void) => {
    swept ??= endOrphans(options)
    await swept
    return launch(request, onLine, options)
  }
  return {
    async run(request, onLine, signal) {
      if (signal.aborted) throw stopped('interrupted', request)
      const program = await begin(request, onLine)
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
        const end = await program.ended
        if (cut === undefined) return end
        throw stopped(cut, request)
      } finally {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
      }
    },
    start: begin,
  }
}

/** Ends what runs of this checkout left running when they were killed. Only ever processes that carry such a run's cookie. */
async function endOrphans({ record, warn, outerCookie = '' }: ProgramsOptions): Promise<void> {
  for (const { path, run } of deadRuns(record.directory)) {
    // We are ourselves what it left running.
    if (outerCookie.includes(run.cookie)) continue
    for (const cookie of run.running) {
      const left = membersOf({ cookie })
      if (left.length === 0) continue
      warn(`an earlier run was killed and left ${left.map(({ name, pid }) => `${name} (${pid})`).join(', ')} running: ended now`)
      await endTree({ cookie }, graceMs)
    }
    removeRun(path, run)
  }
}

function stopped(reason: 'interrupted' | 'timeout', { argv: [file], timeoutMs = 0 }: ProgramRequest): TaskFailure {
  const message = reason === 'timeout' ? `\`${file}\` did not end within ${timeoutMs / 1000} s` : `\`${file}\` was interrupted`
  return new TaskFailure({ reason, subject: file, message })
}
