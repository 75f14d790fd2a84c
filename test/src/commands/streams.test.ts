/** stdout has results and nothing else: of every command, whatever else was asked for. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { commands } from '../../../src/commands/index.ts'
import { stagecraft } from '../../support/cli.ts'
import { writeProject } from '../../support/session-project.ts'
import { filesBelow, sourceFiles, textOf } from '../../support/source-tree.ts'
import { inTemporaryDirectory } from '../../support/temporary-directory.ts'

const test = suite('commands/streams')

for (const name of Object.keys(commands)) {
  test(`\`${name}\`: what is wrong with its words is told on stderr, and stdout stays empty`, async () => {
    const { code, stdout, stderr } = await stagecraft([...name.split(' '), '--no-such-flag', '--verbose'])
    assert.is(code, 1)
    assert.is(stdout, '')
    assert.match(stderr, 'SC3003')
  })
}

const manifest = `project: {name: shop, registry: ghcr.io/acme/shop}
tasks: {a: {command: [echo, hello], inputs: [a.txt]}}
environments: {prod: {hosts: [{name: node-1, address: 203.0.113.7}]}}
`
const results: readonly (readonly string[])[] = [
  ['cache', 'prune'],
  ['cache', 'status'],
  ['cache', 'verify'],
  ['config', 'show'],
  ['config', 'show', '--env', 'prod'],
  ['explain', 'a'],
  ['graph', '--env', 'prod'],
  ['plan', '--env', 'prod', '--offline', '--version', 'v1'],
  ['releases', 'list'],
]

for (const argv of results) {
  test(`\`${argv.join(' ')} --format json --verbose\` prints one JSON value`, () =>
    inTemporaryDirectory(async (cwd) => {
      writeProject(cwd, { 'stagecraft.yml': manifest, 'a.txt': 'a\n' })
      mkdirSync(join(cwd, '.stagecraft/cache'), { recursive: true })
      const env = { PATH: process.env['PATH'] ?? '' }
      const { code, stdout, stderr } = await stagecraft([...argv, '--format', 'json', '--verbose'], { cwd, env })
      assert.is(code, 0, stderr)
      assert.type(JSON.parse(stdout), 'object')
    }))
}

test('a run told as JSON is a line per event, also when it is verbose and a task prints', () =>
  inTemporaryDirectory(async (cwd) => {
    writeProject(cwd, { 'stagecraft.yml': manifest, 'a.txt': 'a\n' })
    const env = { PATH: process.env['PATH'] ?? '' }
    const { code, stdout, stderr } = await stagecraft(['run', 'a', '--format', 'json', '--verbose'], { cwd, env })
    assert.is(code, 0, stderr)
    const lines = stdout.trimEnd().split('\n')
    assert.ok(lines.length >= 2)
    for (const line of lines) assert.type(JSON.parse(line), 'object')
  }))

test('docs/reference/variables.md lists every variable of ours, and no other', () => {
  const madeAtBuild = ['STAGECRAFT_BUILD_ID', 'STAGECRAFT_BUILD_VERSION', 'STAGECRAFT_GRAPH_PAGE', 'STAGECRAFT_SPAWNER']
  const named = (text: string) => [...text.matchAll(/\bSTAGECRAFT_[A-Z_]+[A-Z]\b/g)].map(([name]) => name.replace(/_SECRET_?$/, '_SECRET'))
  const inCode = new Set(sourceFiles(['src', 'tasks', 'cache', 'graph']).flatMap(({ text }) => named(text)))
  for (const name of madeAtBuild) inCode.delete(name)
  const onPage = new Set(named(textOf('docs/reference/variables.md')))
  assert.equal([...onPage].sort(), [...inCode].sort())
  assert.ok(filesBelow('docs/reference', '.md').includes('docs/reference/variables.md'))
})

test.run()
