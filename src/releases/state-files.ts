import type { link, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'

/** The part of `node:fs/promises` that state is kept with: tests put one in that fails at a chosen step. */
export interface StateFiles {
  readonly link: typeof link
  readonly mkdir: typeof mkdir
  readonly open: typeof open
  readonly readdir: typeof readdir
  readonly readFile: typeof readFile
  readonly rename: typeof rename
  readonly rm: typeof rm
}
