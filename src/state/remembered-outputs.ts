import type { ActionResult } from '../../graph/types.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import type { Outputs } from '../../tasks/ports.ts'
import type { FileIndex } from '../files/file-index.ts'
import { isExactly } from './certify.ts'

/** Outputs that are seen to be intact by their stamps alone; whatever is not plain to see is left to `outputs`. */
export function rememberedOutputs(outputs: Outputs, files: Pick<FileIndex, 'matched'>): Outputs {
  /** By its stamps alone; false also when that takes a closer look. */
  const isPlainlyIntact = (patterns: readonly string[], result: ActionResult): boolean => {
    if (patterns.length === 0) return true
    try {
      return isExactly(files.matched(patterns), result)
    } catch (error) {
      // A pipe or a folder that may not be read: not as it was, and others know what to do about it.
      if (error instanceof TaskFailure) return false
      throw error
    }
  }
  return {
    prepare: (patterns) => outputs.prepare(patterns),
    capture: (patterns, cwd) => outputs.capture(patterns, cwd),
    isIntact: async (patterns, result) => isPlainlyIntact(patterns, result) || outputs.isIntact(patterns, result),
    // Says itself when there is nothing to do.
    restore: async (patterns, result) => (isPlainlyIntact(patterns, result) ? { state: 'intact' } : outputs.restore(patterns, result)),
  }
}
