/** Folders in which outputs are made ready, on the file system of the project; those that dead processes left are undone and removed. */
import { mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '../../cache/foreign.ts'
import { isGone, thisProcess } from '../releases/process-identity.ts'
import { readJournal, undoSwap } from './swap.ts'

export interface Staging {
  /** A fresh absolute path for one file, on the project's file system. Whoever asks puts the file elsewhere or removes it. */
  file(): string
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

  /** Made once, as making and removing folders costs more than the files in them; its name tells whose it is. */
  function fresh(): string {
    if (root === undefined) {
      const { pid, start, host } = thisProcess()
      root = join(run, [prefix, pid, start, host].join('.'))
      mkdirSync(root, { recursive: true })
      removeAtExit(root)
    }
    // Two openings in one process share the folder.
    return join(root, `${process.hrtime.bigint()}-${counter++}`)
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

    file: fresh,

    async within(work) {
      const folder = fresh()
      mkdirSync(folder)
      try {
        const done = await work(folder)
        rmSync(folder, { recursive: true, force: true })
        return done
      } catch (error) {
        if (readJournal(folder) === undefined) rmSync(folder, { recursive: true, force: true })
        throw error
      }
    },
  }
}

function isOfDeadProcess(name: string): boolean {
  const [first, pid = '', start = '', ...host] = name.split('.')
  return first === prefix && /^\d+$/.test(pid) && isGone({ pid: Number(pid), start, host: host.join('.') })
}

const roots = new Set<string>()

function removeAtExit(root: string): void {
  if (roots.size === 0) {
    process.once('exit', () => {
      for (const one of roots) removeWhenEmpty(one)
    })
  }
  roots.add(root)
}

/** What is not empty holds something that could not be put back: the next run looks after it. */
function removeWhenEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) throw error
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
