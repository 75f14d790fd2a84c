/**
 * Blocks of the documentation marked `runnable` are true: a manifest is loaded beside the example shop and has a graph in each of its
 * environments; commands are run, offline, in a copy of the shop that is a git checkout. Links between pages lead somewhere.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { stagecraft } from './support/cli.ts'
import { inTemporaryDirectory } from './support/temporary-directory.ts'

const test = suite('docs')
const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const pages = ['README.md', 'CONTRIBUTING.md', ...markdownBelow('docs')]

interface Block {
  readonly place: string
  readonly language: string
  readonly text: string
}

const blocks = pages.flatMap(runnableBlocks)
const manifests = blocks.filter(({ language }) => language === 'yaml')
const scripts = blocks.filter(({ language }) => language === 'sh')

test('there are runnable blocks of both sorts, in the README and in the guide, and of no other sort', () => {
  assert.ok(manifests.length >= 4, `${manifests.length} manifests`)
  assert.ok(scripts.length >= 4, `${scripts.length} scripts`)
  assert.is(manifests.length + scripts.length, blocks.length)
  for (const part of ['README.md', 'docs/guide/'])
    assert.ok(
      blocks.some(({ place }) => place.startsWith(part)),
      part,
    )
})

for (const { place, text } of manifests) {
  test(`the manifest at ${place} is valid and has a graph in each environment`, () =>
    inShop(async (directory) => {
      writeFileSync(join(directory, 'stagecraft.yml'), text)
      const { environments, tasks = {} } = parse(text) as Readonly<Record<string, Readonly<Record<string, unknown>>>>
      // Tasks of the user's need no environment.
      for (const name of Object.keys(tasks)) {
        const { code, stderr } = await stagecraft(['run', name, '--dry-run'], { cwd: directory, env: { PATH: process.env['PATH'] ?? '' } })
        assert.is(code, 0, stderr)
      }
      for (const environment of Object.keys(environments ?? {})) {
        const { code, stdout, stderr } = await stagecraft(['graph', '--env', environment], { cwd: directory })
        assert.is(code, 0, stderr)
        assert.match(stdout, `finalize:${environment}`)
      }
    }))
}

for (const { place, text } of scripts) {
  test(`the commands at ${place} work`, () =>
    inShop(async (directory) => {
      const programs = join(directory, '..', 'programs')
      mkdirSync(programs)
      writeFileSync(join(programs, 'stagecraft'), `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'bin/stagecraft.js')}' "$@"\n`)
      chmodSync(join(programs, 'stagecraft'), 0o755)
      const env = { PATH: `${programs}:${process.env['PATH']}`, HOME: directory, NO_COLOR: '1' }
      const { status, stdout, stderr } = spawnSync('sh', ['-eux', '-c', text], { cwd: directory, env, encoding: 'utf8' })
      assert.is(status, 0, `${stdout}${stderr}`)
    }))
}

for (const page of pages) {
  test(`links of ${page} lead somewhere`, () => {
    for (const [, target = ''] of readFileSync(join(root, page), 'utf8').matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      const [file = '', anchor] = target.split('#')
      const path = file === '' ? join(root, page) : join(root, dirname(page), file)
      assert.ok(existsSync(path), `${target}: no such file`)
      if (anchor !== undefined) assert.ok(anchorsOf(path).includes(anchor), `${target}: no such heading`)
    }
  })
}

/** A copy of the example shop with its environment file, committed. */
function inShop(work: (directory: string) => Promise<void>): Promise<void> {
  return inTemporaryDirectory(async (temporary) => {
    const directory = join(temporary, 'shop')
    cpSync(join(root, 'docs/examples/shop'), directory, { recursive: true })
    copyFileSync(join(directory, '.env.prod.example'), join(directory, '.env.prod'))
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.invalid', ...args], { cwd: directory })
    git('init', '--quiet')
    git('add', '--all')
    git('commit', '--quiet', '--message', 'first')
    await work(directory)
  })
}

function runnableBlocks(page: string): Block[] {
  const text = readFileSync(join(root, page), 'utf8')
  return [...text.matchAll(/^```(\w+) runnable\n([\s\S]*?)^```$/gm)].map(({ 1: language = '', 2: body = '', index }) => ({
    place: `${page}:${text.slice(0, index).split('\n').length}`,
    language,
    text: body,
  }))
}

function markdownBelow(folder: string): string[] {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
  return names
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`)
    .sort()
}

/** Headings as GitHub names them in links. */
function anchorsOf(path: string): string[] {
  const headings = readFileSync(path, 'utf8').match(/^#+ .*$/gm) ?? []
  return headings.map((heading) =>
    heading
      .replace(/^#+ /, '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

test.run()
