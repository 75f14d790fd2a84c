import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { credentialSource, loadCredentials } from '../../../src/hosts/docker-config.ts'
import { isLoopback, loginCommand, parseReference } from '../../../src/hosts/image-reference.ts'
import { runProcess } from '../../../src/hosts/process.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import { rejects } from '../../support/assertions.ts'

const test = suite('src/hosts/docker-config')

const digest = `sha256:${'ab'.repeat(32)}`
const hub = 'https://index.docker.io/v1/'
const base64 = (text: string) => Buffer.from(text).toString('base64')

for (const [text, expected] of [
  ['nginx', { registry: 'docker.io', repository: 'library/nginx', tag: 'latest' }],
  ['nginx:1.27', { registry: 'docker.io', repository: 'library/nginx', tag: '1.27' }],
  ['acme/api', { registry: 'docker.io', repository: 'acme/api', tag: 'latest' }],
  ['index.docker.io/nginx', { registry: 'docker.io', repository: 'library/nginx', tag: 'latest' }],
  ['ghcr.io/acme/shop/api:v1', { registry: 'ghcr.io', repository: 'acme/shop/api', tag: 'v1' }],
  [`ghcr.io/acme/api:v1@${digest}`, { registry: 'ghcr.io', repository: 'acme/api', tag: 'v1', digest }],
  [`ghcr.io/acme/api@${digest}`, { registry: 'ghcr.io', repository: 'acme/api', digest }],
  ['localhost/api', { registry: 'localhost', repository: 'api', tag: 'latest' }],
  ['localhost:5000/api:v1', { registry: 'localhost:5000', repository: 'api', tag: 'v1' }],
  ['MYHOST/api', { registry: 'MYHOST', repository: 'api', tag: 'latest' }],
  ['[::1]:5000/api', { registry: '[::1]:5000', repository: 'api', tag: 'latest' }],
  ['10.0.0.1:5443/a__b/c--d/e.f', { registry: '10.0.0.1:5443', repository: 'a__b/c--d/e.f', tag: 'latest' }],
] as const) {
  test(`${text} is read as Docker reads it`, () => assert.equal(parseReference(text), expected))
}

for (const text of [
  '',
  ':v1',
  'ghcr.io/',
  'ghcr.io/Acme/api',
  'api:',
  `api:${'x'.repeat(129)}`,
  'api@sha256:12',
  `api@${digest}@${digest}`,
  'a b',
  '-x/a.b/c',
]) {
  test(`${JSON.stringify(text.slice(0, 20))} is no reference`, () => assert.throws(() => parseReference(text), /is not an image reference/))
}

test('only registries of this machine are loopback', () => {
  for (const name of ['localhost', 'localhost:5000', '127.0.0.1:5000', '127.1.2.3', '[::1]:5000']) assert.ok(isLoopback(name), name)
  for (const name of ['localhost.example.com', '127.example.com', '10.0.0.1:5000', 'ghcr.io']) assert.not(isLoopback(name), name)
})

test('one logs in to Docker Hub without naming it', () => {
  assert.equal([loginCommand('docker.io'), loginCommand('ghcr.io')], ['docker login', 'docker login ghcr.io'])
})

const inFile = (username: string, password: string, serveraddress: string) => ({
  from: 'file',
  credentials: { username, password, serveraddress },
})
for (const [name, config, registry, expected] of [
  ['name and password in one', { auths: { 'ghcr.io': { auth: base64('anna:p:w') } } }, 'ghcr.io', inFile('anna', 'p:w', 'ghcr.io')],
  ['padding that old clients wrote', { auths: { 'ghcr.io': { auth: base64('anna:pw\0\0') } } }, 'ghcr.io', inFile('anna', 'pw', 'ghcr.io')],
  ['name and password apart', { auths: { 'ghcr.io': { username: 'anna', password: 'pw' } } }, 'ghcr.io', inFile('anna', 'pw', 'ghcr.io')],
  ['a key with scheme and path', { auths: { 'https://ghcr.io/v1/': { auth: base64('a:b') } } }, 'ghcr.io', inFile('a', 'b', 'ghcr.io')],
  ['Docker Hub by its old name', { auths: { [hub]: { auth: base64('a:b') } } }, 'docker.io', inFile('a', 'b', hub)],
  [
    'an identity token',
    { auths: { 'acr.test': { auth: base64('0000:'), identitytoken: 'tok' } } },
    'acr.test',
    { from: 'file', credentials: { username: '', password: '', serveraddress: 'acr.test', identitytoken: 'tok' } },
  ],
  [
    'a helper for everything',
    { credsStore: 'pass', auths: { 'ghcr.io': {} } },
    'ghcr.io',
    { from: 'helper', helper: 'pass', server: 'ghcr.io' },
  ],
  [
    'a helper for one registry',
    { credsStore: 'pass', credHelpers: { 'gcr.io': 'gcloud' } },
    'gcr.io',
    { from: 'helper', helper: 'gcloud', server: 'gcr.io' },
  ],
  ['a helper for Docker Hub', { credsStore: 'pass' }, 'docker.io', { from: 'helper', helper: 'pass', server: hub }],
  ['another registry only', { auths: { 'ghcr.io': { auth: base64('a:b') } } }, 'gcr.io', undefined],
  ['an empty entry', { auths: { 'ghcr.io': {} } }, 'ghcr.io', undefined],
  ['nonsense for an entry', { auths: { 'ghcr.io': { auth: 'no colon' } } }, 'ghcr.io', undefined],
  ['nothing at all', {}, 'ghcr.io', undefined],
] as const) {
  test(`credentials: ${name}`, () => assert.equal(credentialSource(JSON.stringify(config), registry), expected))
}

/** A folder with a Docker configuration, and a credential helper that answers `answer` and ends with `code`. */
async function folder(
  config: string,
  helper?: { answer: string; code: number },
): Promise<{ environment: Record<string, string>; remove(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'docker-config-'))
  await writeFile(join(directory, 'config.json'), config)
  if (helper) {
    const program = join(directory, 'docker-credential-fake')
    await writeFile(
      program,
      `#!/bin/sh\n[ "$1" = get ] && read server && echo '${helper.answer}' | sed "s|SERVER|$server|g"\nexit ${helper.code}\n`,
    )
    await chmod(program, 0o755)
  }
  return { environment: { DOCKER_CONFIG: directory, PATH: `${directory}:/usr/bin:/bin` }, remove: () => rm(directory, { recursive: true }) }
}

/** `runProcess` with the folder's PATH, as if it were ours. */
const withPath = (environment: Record<string, string>): typeof runProcess => {
  return (command, options) => runProcess({ ...command, env: environment }, options)
}

for (const [name, answer, code, expected] of [
  [
    'name and secret',
    '{"ServerURL":"SERVER","Username":"anna","Secret":"pw-for-SERVER"}',
    0,
    { username: 'anna', password: 'pw-for-ghcr.io', serveraddress: 'ghcr.io' },
  ],
  [
    'an identity token',
    '{"Username":"<token>","Secret":"tok"}',
    0,
    { username: '', password: '', serveraddress: 'ghcr.io', identitytoken: 'tok' },
  ],
  ['nothing found', 'credentials not found in native keychain', 1, undefined],
] as const) {
  test(`a credential helper answers with ${name}`, async () => {
    const { environment, remove } = await folder('{"credsStore":"fake"}', { answer, code })
    assert.equal(await loadCredentials('ghcr.io', { environment, run: withPath(environment) }), expected)
    await remove()
  })
}

for (const [answer, code] of [
  ['keychain is locked', 1],
  ['not json', 0],
] as const) {
  test(`a credential helper that says "${answer}" is a failure`, async () => {
    const { environment, remove } = await folder('{"credsStore":"fake"}', { answer, code })
    const error = await rejects(loadCredentials('ghcr.io', { environment, run: withPath(environment) }), /gave no credentials for ghcr.io/)
    assert.is((error as TaskFailure).failure.remedy, 'run `docker login ghcr.io` again')
    await remove()
  })
}

test('a credential helper that is not installed is named', async () => {
  const { environment, remove } = await folder('{"credsStore":"nowhere"}')
  await rejects(loadCredentials('ghcr.io', { environment, run: withPath(environment) }), /`docker-credential-nowhere` was not found/)
  await remove()
})

test('without DOCKER_CONFIG the home folder has the configuration, and it need not exist', async () => {
  const home = await mkdtemp(join(tmpdir(), 'home-'))
  const options = { environment: { HOME: home }, run: runProcess }
  assert.is(await loadCredentials('ghcr.io', options), undefined)
  await mkdir(join(home, '.docker'))
  await writeFile(join(home, '.docker', 'config.json'), JSON.stringify({ auths: { 'ghcr.io': { auth: base64('a:b') } } }))
  assert.is((await loadCredentials('ghcr.io', options))?.username, 'a')
  await rm(home, { recursive: true })
})

test('a broken configuration is told without quoting it', async () => {
  const { environment, remove } = await folder('{"auths": hunter2')
  const error = await rejects(loadCredentials('ghcr.io', { environment, run: runProcess }), /is not valid JSON/)
  assert.instance(error, TaskFailure)
  assert.not(JSON.stringify((error as TaskFailure).failure).includes('hunter2'))
  assert.is(error.cause, undefined)
  await remove()
})

test('a configuration that cannot be read is a failure', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'docker-config-'))
  await mkdir(join(directory, 'config.json'))
  await rejects(loadCredentials('ghcr.io', { environment: { DOCKER_CONFIG: directory }, run: runProcess }), /cannot be read: EISDIR/)
  await rm(directory, { recursive: true })
})

test.run()
