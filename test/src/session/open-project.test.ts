import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { leastManifest, opened, prod, refused, writeProject } from '../../support/session-project.ts'
import { inTemporaryDirectory } from '../../support/temporary-directory.ts'

const test = suite('src/session/open-project')

test('manifest, Compose file and environment become one graph', () =>
  inTemporaryDirectory(async (directory) => {
    writeProject(directory)
    const project = await opened(directory, 'v1.2')
    assert.equal(project.graph.order, ['render:node-1', 'upload:node-1', 'rollout:web@node-1', 'health:prod', 'finalize:prod'])
    assert.equal([project.directory, project.release.version, project.envFile], [directory, 'v1.2', undefined])
    assert.equal(
      project.warnings.map(({ code }) => code),
      ['SC1060'],
    )
  }))

test('SC3101: the environment is never guessed, not even when there is only one', () =>
  inTemporaryDirectory(async (directory) => {
    writeProject(directory, {
      'stagecraft.yml': `project: {name: shop, registry: r.example/shop}\nenvironments: {staging: {hosts: [a]}, prod: {hosts: [b]}}\n`,
    })
    const { env: _, ...without } = prod
    assert.equal(await refused(directory, 'v1', without), ['- SC3101 no environment given: add `--env` with one of `prod`, `staging`'])
  }))

test('SC3102: an environment file whose values go round in a circle, told by their names alone', () =>
  inTemporaryDirectory(async (directory) => {
    const manifest = leastManifest.replace('{hosts', '{env_file: .env.prod, hosts')
    writeProject(directory, { 'stagecraft.yml': manifest, '.env.prod': 'A=topsecret${B}\nB=${A}\n' })
    assert.equal(await refused(directory), ['2:33 SC3102 env_file `.env.prod` cannot be read: `A` refers to itself: A → B → A'])
  }))

test('SC3102: an environment file that is not there, or is no file', () =>
  inTemporaryDirectory(async (directory) => {
    writeProject(directory, { 'stagecraft.yml': leastManifest.replace('{hosts', '{env_file: .env.prod, hosts') })
    assert.equal(await refused(directory), ['2:33 SC3102 env_file `.env.prod` does not exist'])
    mkdirSync(join(directory, '.env.prod'))
    assert.match((await refused(directory))[0] ?? '', /^2:33 SC3102 env_file `\.env\.prod` cannot be read: EISDIR/)
  }))

test('the environment file is found beside the manifest, wherever the command was run', () =>
  inTemporaryDirectory(async (directory) => {
    writeProject(directory, {
      'stagecraft.yml': leastManifest.replace('{hosts', '{env_file: .env.prod, hosts'),
      '.env.prod': 'TOKEN=hunter22\n',
    })
    mkdirSync(join(directory, 'deep'))
    const project = await opened(join(directory, 'deep'), 'v1', { ...prod, config: '../stagecraft.yml' })
    assert.is(project.envFile, join(directory, '.env.prod'))
    assert.not.match(JSON.stringify(project), 'hunter22')
  }))

test('SC3103: a version that cannot be the tag of an image', () =>
  inTemporaryDirectory(async (directory) => {
    writeProject(directory)
    assert.equal(await refused(directory, 'feature/x'), [
      '- SC3103 version `feature/x` is not a valid image tag: letters, digits, `_`, `.` and `-`, at most 128',
    ])
  }))

test('SC3105 and SC3103 are told together', () =>
  inTemporaryDirectory(async (directory) => {
    writeProject(directory, {
      'stagecraft.yml': leastManifest.replace('{hosts', '{env_file: .env.prod, hosts'),
      '.env.prod': 'TOKEN=secret\n',
      'docker-compose.yml': 'services: {web: {build: {context: ., args: {T: "${TOKEN}"}}}}\n',
    })
    const codes = (await refused(directory, 'a b')).map((line) => line.split(' ')[1])
    assert.equal(codes, ['SC3105', 'SC3103'])
  }))

test('faults of the manifest and of the Compose file come from their checks', () =>
  inTemporaryDirectory(async (directory) => {
    writeProject(directory, { 'stagecraft.yml': 'project: {}\n' })
    assert.match((await refused(directory))[0] ?? '', /SC10/)
    writeProject(directory, { 'docker-compose.yml': 'services: {web: 1}\n' })
    assert.match((await refused(directory))[0] ?? '', /SC10/)
    assert.match((await refused(directory, 'v1', { ...prod, env: 'nowhere' }))[0] ?? '', /SC10/)
  }))

test('the ignore file of a Dockerfile wins over that of its context', () =>
  inTemporaryDirectory(async (directory) => {
    const compose = 'services: {a: {build: ./a}, b: {build: ./b}, c: {build: ./c}}\n'
    const dockerfiles = { 'a/Dockerfile': '', 'b/Dockerfile': '', 'c/Dockerfile': '' }
    const ignored = { 'a/Dockerfile.dockerignore': '', 'a/.dockerignore': '', 'b/.dockerignore': '' }
    writeProject(directory, { 'docker-compose.yml': compose, ...dockerfiles, ...ignored })
    const { graph } = await opened(directory)
    const of = (service: string) => (graph.task(`build:${service}` as never).params as { dockerignore: unknown }).dockerignore
    assert.equal([of('a'), of('b'), of('c')], ['a/Dockerfile.dockerignore', 'b/.dockerignore', null])
  }))

test.run()
