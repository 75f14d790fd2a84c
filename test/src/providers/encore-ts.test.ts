/** The build side of `encore-ts`, with an `encore` on PATH that records how it was called and loads an image as the real one does. */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createBuilder } from '../../../src/hosts/builder.ts'
import { runProcess } from '../../../src/hosts/process.ts'
import { deployTasks } from '../../../src/pipelines/deploy.ts'
import { type BuildParams, build } from '../../../tasks/build.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import type { PushParams } from '../../../tasks/push.ts'
import { rejects } from '../../support/assertions.ts'
import { FakeRegistry, imageWorld } from '../../support/fake-images.ts'
import { inTemporaryDirectory } from '../../support/temporary-directory.ts'
import { aboutConfig, accepted, resolved } from '../config/told.ts'

const test = suite('providers/encore-ts')
const signal = new AbortController().signal

const manifest = (entry: string) => `project: {name: shop, registry: ghcr.io/acme/shop}
environments: {prod: {hosts: [deploy@203.0.113.7]}}
backend: {provider: encore-ts, providers: {encore-ts: ${entry}}}
services: {app: {build: backend}}
`
const compose = 'services: {app: {healthcheck: {test: [CMD, /ok]}}}'

async function tasksOf(entry: string) {
  const deployment = accepted(await resolved(manifest(entry), compose))
  const tasks = deployTasks(deployment, { version: 'v1', envFileNames: [], buildArgs: {}, ignoreFiles: {} })
  const params = <P>(kind: string) => tasks.find((task) => task.kind === kind)?.params as unknown as P
  return { build: params<BuildParams>('build'), push: params<PushParams>('push') }
}

const entries: readonly (readonly [entry: string, repository: string, tag: RegExp, context: string])[] = [
  ['{}', 'ghcr.io/acme/shop/api', /^sc-0{16}-\w+$/, '.'],
  ['{build: {workdir: backend, image_name: core}}', 'ghcr.io/acme/shop/core', /^sc-0{16}-\w+$/, 'backend'],
  ['{build: {docker_tag_suffix: -encore}}', 'ghcr.io/acme/shop/api', /^sc-0{16}-\w+-encore$/, '.'],
]
for (const [entry, repository, tag, context] of entries) {
  test(`D6: ${entry} is built under a whole reference, whose tag alone takes the suffix`, async () => {
    const { build: params, push } = await tasksOf(entry)
    assert.equal([params.repository, push.repository, params.context], [repository, repository, context])
    const { builder, context: contextOf } = imageWorld()
    const result = await build.run(params, contextOf('build:app', { fingerprint: '0'.repeat(64) }))
    assert.match(String(result.values['tag']), tag)
    assert.equal(builder.commands[0]?.argv, ['encore', 'build', 'docker', `${repository}:${String(result.values['tag'])}`])
    assert.is(push.tagSuffix, entry.includes('suffix') ? '-encore' : undefined)
  })
}

test('what encore writes into the folder is no input, and the folder must be a project of its', async () => {
  const { build: params } = await tasksOf('{build: {workdir: backend}}')
  assert.equal(build.inputs?.(params).files, [
    { root: 'backend', always: ['backend/encore.app'], except: ['backend/.encore', 'backend/encore.gen'] },
  ])
})

test('a block it does not know is refused at its line', () => {
  assert.equal(
    aboutConfig(manifest('{build: {image_name: Api}}')).map((line) => line.split(' ')[1]),
    ['SC1011'],
  )
  assert.equal(
    aboutConfig(manifest('{build: {tag: x}}')).map((line) => line.split(' ')[1]),
    ['SC1003'],
  )
})

/** A program that records its arguments and a variable, and does what `body` says. */
function fakeEncore(directory: string, body: string): NodeJS.ProcessEnv {
  writeFileSync(join(directory, 'encore'), `#!/bin/sh\nprintf '%s\\n' "$PWD" "$@" "token=$TOKEN" > "${directory}/called"\n${body}\n`)
  chmodSync(join(directory, 'encore'), 0o755)
  return { ...process.env, PATH: `${directory}:${process.env['PATH']}` }
}

const builderWith = (env: NodeJS.ProcessEnv) =>
  createBuilder({
    registry: new FakeRegistry(),
    run: (command, options) => runProcess({ ...command, env: { PATH: env['PATH'] ?? '', ...command.env } }, options),
  })

test('the program runs in its folder; when it fails, its last lines are told', () =>
  inTemporaryDirectory(async (directory) => {
    const env = fakeEncore(directory, 'echo compiling; echo no such service >&2; exit 3')
    const work = builderWith(env).buildWith({ argv: ['encore', 'build', 'docker', 'x/api:1'], cwd: directory }, 'x/api:1', () => {}, signal)
    const error = await rejects(work)
    assert.instance(error, TaskFailure)
    const { message, output = [] } = (error as TaskFailure).failure
    assert.is(message, 'encore build docker failed with exit code 3')
    assert.equal([...output].sort(), ['compiling', 'no such service'])
    assert.equal(readFileSync(join(directory, 'called'), 'utf8'), `${directory}\nbuild\ndocker\nx/api:1\ntoken=\n`)
  }))

test('a machine without it is told so', () =>
  inTemporaryDirectory(async (directory) => {
    const builder = builderWith({ PATH: directory })
    const error = await rejects(builder.buildWith({ argv: ['encore', 'build', 'docker', 'x:1'] }, 'x:1', () => {}, signal))
    assert.match((error as TaskFailure).failure.message, /`encore` was not found/)
  }))

const hasEngine = spawnSync('docker', ['info'], { stdio: 'ignore' }).status === 0
if (!hasEngine) process.stderr.write('no Docker engine on this machine: an image that encore would load is not tried\n')
const withEngine = hasEngine ? test : test.skip
withEngine('the image that it leaves in the engine is the one that is built', () =>
  inTemporaryDirectory(async (directory) => {
    const reference = `stagecraft-encore-test:${process.pid}`
    // As `encore build docker` ends: an image under the reference it was given, by way of the engine.
    const env = fakeEncore(directory, 'tar -cf - -C "$PWD" encore | docker import - "$3"')
    try {
      const id = await builderWith(env).buildWith(
        { argv: ['encore', 'build', 'docker', reference], cwd: directory },
        reference,
        () => {},
        signal,
      )
      assert.match(id, /^sha256:[0-9a-f]{64}$/)
      assert.ok(existsSync(join(directory, 'called')))
    } finally {
      spawnSync('docker', ['image', 'rm', '--force', reference], { stdio: 'ignore' })
    }
  }),
)

test.run()
