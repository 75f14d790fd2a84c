import { TaskFailure } from '../../tasks/kind.ts'
import type { Outputs } from '../../tasks/ports.ts'
import type { FileIndex } from '../files/file-index.ts'
import { isExactly } from './certify.ts'

/** Outputs that are seen to be intact by their stamps alone; whatever is not plain to see is left to `outputs`. */
export function rememberedOutputs(outputs: Outputs, files: Pick<FileIndex, 'matched'>): Outputs {
  const isIntact: Outputs['isIntact'] = async (patterns, result) => {
    if (patterns.length === 0) return true
    try {
      if (isExactly(files.matched(patterns), result)) return true
    } catch (error) {
      // A pipe or a folder that may not be read: not as it was, and others know what to do about it.
      if (!(error instanceof TaskFailure)) throw error
    }
    return outputs.isIntact(patterns, result)
  }
  return {
    prepare: (patterns) => outputs.prepare(patterns),
    capture: (patterns, cwd) => outputs.capture(patterns, cwd),
    isIntact,
    restore: async (patterns, result) => {
      if (await isIntact(patterns, result)) return { state: 'intact' }
      return outputs.restore(patterns, result)
    },
  }
}
