/**
 * Compiled code, kept between runs: what V8 made of the modules of one command, functions included that were called. It is code, so it lies where only its
 * user can write, and is believed only there. Losing it costs time.
 */
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { decodeCode, encodeCode, type KeptCode } from './code-file.ts'
import { isPrivate, isPrivateFolder } from './private-folder.ts'

/** Files that are kept: one for each command, build and engine. About 1 MB each. */
const keptFiles = 24

const nothing: KeptCode = { runs: 0, modules: new Map() }

/** Never throws: what cannot be read is not there. */
export function readCode(folder: string, name: string): KeptCode {
  try {
    return (isPrivateFolder(folder) && decodeCode(readPrivate(join(folder, name)))) || nothing
  } catch {
    return nothing
  }
}

/** @throws Error for a link, and for what another user owns or can write to. */
function readPrivate(path: string): Buffer {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const found = fstatSync(file)
    if (!found.isFile() || !isPrivate(found)) throw new Error(`${path} is not of this user alone`)
    return readFileSync(file)
  } finally {
    closeSync(file)
  }
}

/** Never throws: of what cannot be written, the next run has no use. Of two runs that write, the last wins; a reader sees the one or the other. */
export function writeCode(folder: string, name: string, code: KeptCode): void {
  try {
    for (const path of [dirname(dirname(folder)), dirname(folder), folder]) makeFolder(path)
    if (isPrivateFolder(folder)) replace(folder, name, encodeCode(code))
  } catch {
    // A full disk, a folder that is only read: the run was as good.
    return
  }
}

/** One at a time: where a file system says that a folder's parent is missing though it is there, Node's `recursive` never ends. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function replace(folder: string, name: string, bytes: Buffer): void {
  const draft = join(folder, `${name}.${process.pid}.tmp`)
  try {
    writeFileSync(draft, bytes, { flag: 'wx', mode: 0o600 })
    renameSync(draft, join(folder, name))
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
  removeOldest(folder)
}

function removeOldest(folder: string): void {
  const files = readdirSync(folder).map((name) => join(folder, name))
  if (files.length <= keptFiles) return
  const times = new Map(files.map((file) => [file, statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0]))
  const newestFirst = files.sort((a, b) => (times.get(b) ?? 0) - (times.get(a) ?? 0))
  for (const file of newestFirst.slice(keptFiles)) rmSync(file, { force: true })
}
