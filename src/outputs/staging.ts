/** Folders in which outputs are made ready, on the file system of the project; those that dead processes left are undone and removed. */
import { mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '../../cache/foreign.ts'
import { isGone, thisProcess } from '../releases/process-identity.ts'
import { readJournal, undoSwap } from './swap.ts'

export interface Staging {
  /** Runs `work` with a fresh folder, which is gone afterwards unless what was there could not be put back. */
  within<T>(work: (folder: string) => Promise<T>): Promise<T>
  /** Undoes what dead processes left half done. Looks once, before anything else is decided. */
  recover(): void
}

const prefix = 'outputs'

/** @param directory absolute folder of the project. */
export function openStaging(directory: string): Staging {
  const run = join(directory, '.stagecraft', 'run')
  let recovered = false
  let root: string | undefined
  let counter = 0
  let open = 0

  /** The name tells whose it is: a pid alone may be given again. */
  function rootName(): string {
    const { pid, start, host } = thisProcess()
    return [prefix, pid, start, host].join('.')
  }

  return {
    recover() {
      if (recovered) return
      recovered = true
      for (const name of namesIn(run)) {
        if (!isOfDeadProcess(name)) continue
        for (const folder of namesIn(join(run, name))) {
          const journal = readJournal(join(run, name, folder))
          if (journal) undoSwap(directory, join(run, name, folder), journal)
        }
        rmSync(join(run, name), { recursive: true, force: true })
      }
    },

    async within(work) {
      root ??= join(run, rootName())
      open++
      // The number grows from opening to opening of one process, too: another project in it has a folder of its own.
      const folder = join(root, `${process.hrtime.bigint()}-${counter++}`)
      mkdirSync(folder, { recursive: true })
      try {
        const done = await work(folder)
        rmSync(folder, { recursive: true, force: true })
        return done
      } catch (error) {
        if (readJournal(folder) === undefined) rmSync(folder, { recursive: true, force: true })
        throw error
      } finally {
        if (--open === 0) removeWhenEmpty(root)
      }
    },
  }
}

function isOfDeadProcess(name: string): boolean {
  const [first, pid = '', start = '', ...host] = name.split('.')
  return first === prefix && /^\d+$/.test(pid) && isGone({ pid: Number(pid), start, host: host.join('.') })
}

function removeWhenEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(codeOf(error) ?? '')) throw error
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return []
    throw error
  }
}
