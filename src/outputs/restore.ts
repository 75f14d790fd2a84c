import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ContentStore } from '../../cache/cache.ts'
import { codeOf, messageOf } from '../../cache/foreign.ts'
import type { ActionResult, OutputFile } from '../../graph/types.ts'
import type { Restored } from '../../tasks/kind.ts'
import { type Difference, differenceOf, type FileDigest, type Wanted, wantedOf } from './difference.ts'
import { LeadsOutside, listOutputs, parentOf, staysInside, undeclared } from './list.ts'
import { lookAt } from './look-at.ts'
import type { Patterns } from './patterns.ts'
import type { Staging } from './staging.ts'
import { planSwap, swap } from './swap.ts'

export interface RestoreWorld {
  /** Absolute folder of the project. */
  readonly directory: string
  readonly content: ContentStore
  readonly digestOf: FileDigest
  readonly staging: Staging
}

/** A blob could not be had: nothing was touched yet. */
class MissingBlob extends Error {
  override readonly name = 'MissingBlob'
}

/** Makes the outputs a result's, all or nothing. What the world refuses is a value: the task can still run. */
export async function restoreOutputs(world: RestoreWorld, patterns: Patterns, result: ActionResult): Promise<Restored> {
  const impossible = (why: string): Restored => ({ state: 'impossible', detail: `cannot be put back: ${why}` })
  try {
    const wanted = wantedOf(result)
    const [stranger] = await undeclared(patterns, [...wanted.keys()])
    if (stranger !== undefined) return impossible(`the cached result names \`${stranger}\`, which is none of this task's outputs`)
    const difference = await differenceOf(world.directory, await listOutputs(world.directory, patterns), wanted, world.digestOf)
    if (difference.changed.size === 0 && difference.left.size === 0) return { state: 'intact' }
    const [one] = difference.changed
    if (
      one &&
      difference.changed.size === 1 &&
      difference.left.size === 0 &&
      one[1].kind !== 'folder' &&
      !isFolder(world.directory, one[0])
    ) {
      await placeOne(world, one[0], one[1])
    } else await world.staging.within((folder) => apply(world, folder, patterns, difference))
    return { state: 'restored', files: difference.changed.size + difference.left.size }
  } catch (error) {
    if (error instanceof MissingBlob || error instanceof LeadsOutside || codeOf(error) !== undefined) return impossible(messageOf(error))
    throw error
  }
}

async function apply(world: RestoreWorld, folder: string, patterns: Patterns, difference: Difference): Promise<void> {
  mkdirSync(join(folder, 'in'))
  const staged: string[] = []
  for (const [path, one] of difference.changed) {
    if (one.kind !== 'folder') await stage(world.content, one, join(folder, 'in', String(staged.push(path) - 1)), path)
  }
  swap(world.directory, folder, planSwap(world.directory, folder, staged, patterns, difference))
}

function isFolder(directory: string, path: string): boolean {
  return lookAt(join(directory, path))?.isDirectory() ?? false
}

/** One rename is all or nothing by itself, and needs no journal. */
async function placeOne(
  { directory, content, staging }: RestoreWorld,
  path: string,
  one: Exclude<Wanted, { kind: 'folder' }>,
): Promise<void> {
  const place = staging.file()
  const parent = parentOf(path)
  let made: string | undefined
  try {
    await stage(content, one, place, path)
    staysInside(directory, parent)
    if (!isFolder(directory, parent)) made = mkdirSync(join(directory, parent), { recursive: true })
    renameSync(place, join(directory, path))
  } catch (error) {
    rmSync(place, { force: true })
    if (made !== undefined) rmSync(made, { recursive: true })
    throw error
  }
}

async function stage(content: ContentStore, one: Exclude<Wanted, { kind: 'folder' }>, place: string, path: string): Promise<void> {
  if (one.kind === 'link') symlinkSync(one.target, place)
  else await stageFile(content, one.file, place, path)
}

async function stageFile(content: ContentStore, { digest, executable, mode }: OutputFile, place: string, path: string): Promise<void> {
  const missing = (): MissingBlob => new MissingBlob(`\`${path}\` is no longer in the cache`)
  if (content.copyTo) {
    if (!(await content.copyTo(digest, place))) throw missing()
  } else {
    const bytes = await content.read(digest)
    if (!bytes) throw missing()
    writeFileSync(place, bytes, { flag: 'wx' })
  }
  chmodSync(place, mode ?? (executable ? 0o755 : 0o644))
}
