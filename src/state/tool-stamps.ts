/** What the word of a tool about itself rests on: the file that is started, and how it was found. */
import { closeSync, openSync, readlinkSync, readSync, realpathSync } from 'node:fs'
import { basename, delimiter, dirname, join, resolve } from 'node:path'
import type { FileClock } from './file-clock.ts'
import { lookAt, type Stamped, stampOf } from './stamp.ts'

/** What programs are asked for their version with, by themselves and not by what a folder says. */
const versionFlags = new Set(['--version', '-v', '-V', 'version'])

/**
 * Only of programs that say the same as long as they are the same: native ones, not scripts; under their own name, as one file with many names
 * (rustup, volta, busybox) answers for others and by the folder it is in. Undefined for all others.
 */
export function toolStamps(
  argv: readonly string[],
  path: string | undefined,
  clock: FileClock,
): ReadonlyMap<string, Stamped | undefined> | undefined {
  const [name = '', flag = ''] = argv
  if (argv.length !== 2 || !versionFlags.has(flag) || path === undefined || name === '') return undefined
  const stamps = new Map<string, Stamped | undefined>()
  try {
    for (const folder of name.includes('/') ? [] : path.split(delimiter)) {
      if (!folder.startsWith('/')) return undefined
      const candidate = join(folder, name)
      const found = lookAt(candidate)
      stamps.set(candidate, found && stampOf(found))
      if (found) return isNative(candidate, stamps, clock) ? stamps : undefined
    }
  } catch {
    // Somewhere on the way may not be looked at: then the tool is asked.
  }
  return undefined
}

/** Follows links to the file itself, each of them a stamp. */
function isNative(candidate: string, stamps: Map<string, Stamped | undefined>, clock: FileClock): boolean {
  let path = candidate
  for (let hops = 0; hops < 40; hops++) {
    const found = lookAt(path)
    if (!found || !clock.isPast(found)) return false
    stamps.set(path, stampOf(found))
    if (found.isSymbolicLink()) {
      path = resolve(dirname(path), readlinkSync(path))
      continue
    }
    const isPlain = found.isFile() && found.nlink === 1 && (found.mode & 0o111) !== 0
    return isPlain && basename(realpathSync(path)) === basename(candidate) && isExecutableFormat(path)
  }
  return false
}

/** ELF, and Mach-O in all its forms. */
function isExecutableFormat(path: string): boolean {
  const head = Buffer.alloc(4)
  const file = openSync(path, 'r')
  try {
    readSync(file, head)
  } finally {
    closeSync(file)
  }
  return ['7f454c46', 'cffaedfe', 'cefaedfe', 'feedface', 'feedfacf', 'cafebabe'].includes(head.toString('hex'))
}
