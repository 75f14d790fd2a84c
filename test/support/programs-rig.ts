import { join } from 'node:path'
import { createPrograms } from '../../src/programs/programs.ts'
import { createRunRecord, type RunRecord } from '../../src/programs/run-record.ts'
import type { ProgramRequest, Programs } from '../../tasks/ports.ts'

export interface ProgramsRig {
  readonly programs: Programs
  readonly record: RunRecord
  readonly lines: string[]
  readonly warnings: string[]
  readonly stop: AbortController
  /** `argv`, run in the folder with nothing but PATH. */
  run(argv: readonly [string, ...string[]], more?: Partial<ProgramRequest>): ReturnType<Programs['run']>
}

/** Real programs in a folder. */
export function programsRig(directory: string, redact: (text: string) => string = (text) => text): ProgramsRig {
  const [lines, warnings]: [string[], string[]] = [[], []]
  const record = createRunRecord(join(directory, '.stagecraft', 'run'))
  const programs = createPrograms({ redact, record, warn: (message) => warnings.push(message) })
  const stop = new AbortController()
  const env = { PATH: process.env['PATH'] ?? '' }
  return {
    programs,
    record,
    lines,
    warnings,
    stop,
    run: (argv, more) => programs.run({ argv, cwd: directory, env, ...more }, (line) => lines.push(line), stop.signal),
  }
}
