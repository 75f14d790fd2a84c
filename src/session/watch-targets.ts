import { type App, type ExitCode, exitCodes, type GlobalOptions } from '../contracts.ts'
import type { RunInput } from './run-targets.ts'

export async function watchTargets(_input: RunInput, _globals: GlobalOptions, _app: App): Promise<ExitCode> {
  return exitCodes.done
}
