#!/usr/bin/env node
// `npx stagecraft` in this checkout: the program built from it, which is built first when it is not there. It runs from a copy, because one
// of the tasks it runs builds it anew, and what a program still has to load must not be taken away under it.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const built = join(root, 'bin')
const copies = join(root, 'node_modules', '.cache', 'stagecraft')
const keptMs = 24 * 3_600_000

if (process.argv[2] === '--link') link()
else await run()

/** npm's `prepare`: npx looks in `node_modules/.bin` first. */
function link() {
  const path = join(root, 'node_modules', '.bin', 'stagecraft')
  mkdirSync(join(path, '..'), { recursive: true })
  rmSync(path, { force: true })
  symlinkSync('../../scripts/self.mjs', path)
  chmodSync(join(root, 'scripts', 'self.mjs'), 0o755)
}

async function run() {
  if (!existsSync(join(built, 'stagecraft.js'))) {
    process.stderr.write('building stagecraft first\n')
    execFileSync(process.execPath, [join(root, 'scripts', 'build.mjs')], { stdio: ['ignore', 2, 2] })
  }
  const program = join(copyOf(), 'stagecraft.js')
  process.argv[1] = program
  await import(program)
}

/** A folder named for what is in it, so that a copy is made once for each build. */
function copyOf() {
  const files = readdirSync(built, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const stamps = files.map((file) => join(file.parentPath, file.name)).map((path) => [path, statSync(path).size, statSync(path).mtimeMs])
  const copy = join(copies, createHash('sha256').update(JSON.stringify(stamps.sort())).digest('hex').slice(0, 16))
  if (existsSync(copy)) return copy
  const draft = `${copy}.${process.pid}`
  cpSync(built, draft, { recursive: true })
  try {
    renameSync(draft, copy)
  } catch (error) {
    // Another process was quicker.
    rmSync(draft, { recursive: true, force: true })
    if (!existsSync(copy)) throw error
  }
  for (const name of readdirSync(copies)) {
    const old = join(copies, name)
    if (old !== copy && Date.now() - statSync(old).mtimeMs > keptMs) rmSync(old, { recursive: true, force: true })
  }
  return copy
}
