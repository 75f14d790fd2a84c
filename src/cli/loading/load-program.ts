import { buildId } from '../build-id.ts'
import { readCode, writeCode } from './code-cache.ts'
import { bundleModules } from './modules.ts'
import { codeFolder } from './private-folder.ts'

/**
 * Runs of a command that add to what is kept: the first of a project calls other functions than those that follow it. After them, only what was not known at
 * all is added: V8 does not tell what it compiled.
 */
const learningRuns = 3

export interface Start {
  /** Absolute path of the module to begin with; it exports `finished`. */
  readonly file: string
  readonly words: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Runs the program proper, and keeps for the next run of the same command what was compiled in this one. */
export async function loadProgram({ file, words, env }: Start): Promise<void> {
  const folder = keepsCode(env) ? codeFolder(env) : undefined
  const name = codeName(words)
  const kept = folder === undefined ? undefined : readCode(folder, name)
  const program = bundleModules(kept?.modules)
  const { finished } = program.load(file) as { readonly finished: Promise<void> }
  await finished
  if (folder === undefined || !kept || process.exitCode) return
  if (program.learned || kept.runs < learningRuns) writeCode(folder, name, { runs: kept.runs + 1, modules: program.compiled() })
}

/** Node's own switch for the same thing; and coverage counts only functions that it saw being compiled. */
function keepsCode(env: Start['env']): boolean {
  return !env['NODE_DISABLE_COMPILE_CACHE'] && !env['NODE_V8_COVERAGE']
}

/**
 * Names what the code is good for: this build, this engine with these flags on this processor, and one command, since another calls other functions and
 * would only have more to read.
 */
function codeName(words: readonly string[]): string {
  const command = /^[a-z]{2,12}$/.exec(words[0] ?? '')?.[0] ?? 'words'
  const engine = process.getBuiltinModule('node:v8').cachedDataVersionTag().toString(16)
  return `${buildId()}-${process.version}-${process.arch}-${engine}-${command}`
}
