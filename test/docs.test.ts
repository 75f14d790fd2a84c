/**
 * Blocks of the documentation marked `runnable` are true: a manifest is loaded beside the example shop and has a graph in each of its
 * environments; commands are run, offline, in a copy of the shop that is a git checkout, or where it says `runnable tasks` in one of the example of
 * tasks. Consoles are typed, one after the other in one such copy, and have to say what is written there, times aside. Links between pages lead somewhere.
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
  /** Folder below docs/examples that it is about. */
  readonly example: 'shop' | 'tasks'
  readonly text: string
}

const blocks = pages.flatMap(runnableBlocks)
const manifests = blocks.filter(({ language }) => language === 'yaml')
const scripts = blocks.filter(({ language }) => language === 'sh')
const consoles = blocks.filter(({ language }) => language === 'console')

test('there are runnable blocks of every sort, in the README and in the guide, and of no other sort', () => {
  assert.ok(manifests.length >= 4, `${manifests.length} manifests`)
  assert.ok(scripts.length >= 4, `${scripts.length} scripts`)
  assert.ok(consoles.length >= 2, `${consoles.length} consoles`)
  assert.is(manifests.length + scripts.length + consoles.length, blocks.length)
  for (const part of ['README.md', 'docs/guide/'])
    assert.ok(
      blocks.some(({ place }) => place.startsWith(part)),
      part,
    )
})

for (const { place, text } of manifests) {
  test(`the manifest at ${place} is valid and has a graph in each environment`, () =>
    inExample('shop', async (directory) => {
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

for (const { place, example, text } of scripts) {
  test(`the commands at ${place} work`, () =>
    inExample(example, async (directory) => {
      const { status, said } = typed(directory, ['-eux', '-c', text])
      assert.is(status, 0, said)
    }))
}

for (const page of new Set(consoles.map(({ place }) => place.replace(/:.*/, '')))) {
  test(`the consoles of ${page} say what is written there`, () =>
    inExample('tasks', async (directory) => {
      for (const { place, text } of consoles.filter((block) => block.place.startsWith(`${page}:`)))
        for (const part of text.split(/^(?=\$ )/m)) {
          const [command = '', ...expected] = part.split('\n')
          const { said } = typed(directory, ['-c', command.slice('$ '.length)])
          assert.equal(linesOf(said), linesOf(expected.join('\n')), `${place}: ${command}`)
        }
    }))
}

test('the manifest of the example of tasks is the one that the README shows', () => {
  const shown = manifests.find(({ place }) => place.startsWith('README.md'))
  assert.is(readFileSync(join(root, 'docs/examples/tasks/stagecraft.yml'), 'utf8'), shown?.text)
})

/** What a shell says in the project, with `stagecraft` on its path. */
function typed(directory: string, words: readonly string[]): { readonly status: number | null; readonly said: string } {
  const programs = join(directory, '..', 'programs')
  if (!existsSync(programs)) {
    mkdirSync(programs)
    writeFileSync(join(programs, 'stagecraft'), `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'bin/stagecraft.js')}' "$@"\n`)
    chmodSync(join(programs, 'stagecraft'), 0o755)
  }
  const env = { PATH: `${programs}:${process.env['PATH']}`, HOME: directory, NO_COLOR: '1' }
  const [script = '', ...rest] = [...words].reverse()
  const { status, stdout } = spawnSync('sh', [...rest.reverse(), `exec 2>&1\n${script}`], { cwd: directory, env, encoding: 'utf8' })
  return { status, said: stdout }
}

/** Without what differs from time to time: durations, dates, digests, and which of two tasks was first. */
function linesOf(text: string): string[] {
  const lines = text.split('\n').map((line) =>
    line
      .replace(/\b[0-9a-f]{64}\b/g, 'DIGEST')
      .replace(/\b\d{4}-\d\d-\d\d \d\d:\d\d\b/g, 'DATE')
      .replace(/\b\d+(\.\d+)?m?s\b/g, 'TIME')
      .trimEnd(),
  )
  return lines.filter(Boolean).sort()
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

/** A copy of an example, committed on branch main and tagged; the shop with its environment file. */
function inExample(example: Block['example'], work: (directory: string) => Promise<void>): Promise<void> {
  return inTemporaryDirectory(async (temporary) => {
    const directory = join(temporary, 'shop')
    cpSync(join(root, 'docs/examples', example), directory, { recursive: true })
    if (example === 'shop') copyFileSync(join(directory, '.env.prod.example'), join(directory, '.env.prod'))
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.invalid', ...args], { cwd: directory })
    git('init', '--quiet', '--initial-branch', 'main')
    git('add', '--all')
    git('commit', '--quiet', '--message', 'first')
    git('tag', 'v1.4.0')
    await work(directory)
  })
}

function runnableBlocks(page: string): Block[] {
  const text = readFileSync(join(root, page), 'utf8')
  return [...text.matchAll(/^```(\w+) runnable( tasks)?\n([\s\S]*?)^```$/gm)].map(
    ({ 1: language = '', 2: example, 3: body = '', index }) => ({
      place: `${page}:${text.slice(0, index).split('\n').length}`,
      language,
      example: example === undefined ? 'shop' : 'tasks',
      text: body,
    }),
  )
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
