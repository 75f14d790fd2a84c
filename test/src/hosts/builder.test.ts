import { readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { builtImageId, createBuilder } from '../../../src/hosts/builder.ts'
import { buildCommand, dockerFailure } from '../../../src/hosts/docker-command.ts'
import type { RunProcess } from '../../../src/hosts/process.ts'
import type { TaskFailure } from '../../../tasks/kind.ts'
import type { BuildRequest, Command, Exit } from '../../../tasks/ports.ts'
import { rejects } from '../../support/assertions.ts'
import { FakeRegistry } from '../../support/fake-images.ts'
import { inTemporaryDirectory } from '../../support/temporary-directory.ts'

const test = suite('src/hosts/builder')

const request: BuildRequest = {
  context: '/project',
  dockerfile: '/project/Dockerfile',
  args: {},
  platforms: [],
  secrets: [],
  ssh: [],
  additionalContexts: {},
  cacheFrom: [],
  withheld: [],
  labels: {},
  tags: ['registry.test/api:sc-1'],
  noCache: false,
}
const digest = `sha256:${'ab'.repeat(32)}`
const ok = (stdout = ''): Exit => ({ code: 0, stdout, stderr: '' })
const failed = (stderr: string): Exit => ({ code: 1, stdout: '', stderr })
const signal = new AbortController().signal

/** A `docker` that answers with `exit`, prints it live, and records what it was asked. */
function docker(exit: Exit, metadata?: string) {
  const commands: Command[] = []
  const run: RunProcess = async (command, options) => {
    commands.push(command)
    for (const line of `${exit.stdout}${exit.stderr}`.split('\n')) options?.onLine?.(line, 'stdout')
    const file = command.argv[command.argv.indexOf('--metadata-file') + 1]
    if (metadata !== undefined && file !== undefined) await writeFile(file, metadata)
    return exit
  }
  const registry = new FakeRegistry()
  return { commands, registry, builder: createBuilder({ registry, run }) }
}

test('the least build', () => {
  assert.is(
    buildCommand(request, '/m').argv.join(' '),
    'docker buildx build --load --progress=plain --provenance=false --sbom=false --metadata-file /m --file /project/Dockerfile --tag registry.test/api:sc-1 /project',
  )
})

test('every part of a request has its flag, maps in the order of their keys', () => {
  const { argv } = buildCommand(
    {
      ...request,
      target: 'prod',
      platforms: ['linux/arm64'],
      args: { B: '2', A: 'one two' },
      labels: { z: '1', y: '2' },
      additionalContexts: { shared: '/shared' },
      ssh: ['default'],
      cacheFrom: ['type=registry,ref=registry.test/cache'],
      cacheTo: ['type=registry,ref=registry.test/cache,mode=max'],
      noCache: true,
    },
    '/m',
  )
  const flags = [
    '--target',
    'prod',
    '--platform',
    'linux/arm64',
    '--build-arg',
    'A=one two',
    '--build-arg',
    'B=2',
    '--label',
    'y=2',
    '--label',
    'z=1',
  ]
  const more = [
    '--build-context',
    'shared=/shared',
    '--ssh',
    'default',
    '--cache-from',
    'type=registry,ref=registry.test/cache',
    '--cache-to',
    'type=registry,ref=registry.test/cache,mode=max',
    '--no-cache',
    '/project',
  ]
  assert.equal(argv.slice(-(flags.length + more.length)), [...flags, ...more])
})

test('what is withheld is ignored last, after whatever the context brings back', () =>
  inTemporaryDirectory(async (context) => {
    const dockerfile = join(context, 'Dockerfile')
    await writeFile(dockerfile, 'FROM scratch\n')
    await writeFile(join(context, '.dockerignore'), '*.md\n!.env.prod')
    const seen: string[] = []
    const run: RunProcess = async ({ argv }) => {
      const given = argv[argv.indexOf('--file') + 1] ?? ''
      seen.push(await readFile(given, 'utf8'), await readFile(`${given}.dockerignore`, 'utf8'))
      await writeFile(argv[argv.indexOf('--metadata-file') + 1] ?? '', JSON.stringify({ 'containerimage.config.digest': digest }))
      return ok()
    }
    const builder = createBuilder({ registry: new FakeRegistry(), run })
    const wanted = { ...request, context, dockerfile, withheld: ['.stagecraft', '.env.prod'] }
    assert.is(await builder.build(wanted, () => {}, signal), digest)
    assert.equal(seen, ['FROM scratch\n', '*.md\n!.env.prod\n.stagecraft\n.env.prod\n'])
  }))

test('a secret travels in the environment and never among the arguments', () => {
  const { argv, env } = buildCommand({ ...request, secrets: [{ id: 'npm', value: 'hunter2' }] }, '/m')
  assert.ok(argv.includes('id=npm,env=STAGECRAFT_BUILD_SECRET_0'))
  assert.equal(env, { STAGECRAFT_BUILD_SECRET_0: 'hunter2' })
  assert.not(argv.join('\0').includes('hunter2'))
})

for (const [name, change, message] of [
  ['a secret id that would add options', { secrets: [{ id: 'a,src=/etc/shadow', value: 'x' }] }, /cannot be a build secret's id/],
  ['a binary secret', { secrets: [{ id: 'a', value: 'x\0y' }] }, /binary or larger/],
  ['a huge secret', { secrets: [{ id: 'a', value: 'x'.repeat(200_000) }] }, /binary or larger/],
] as const) {
  test(`${name} is refused`, () => assert.throws(() => buildCommand({ ...request, ...change }, '/m'), message))
}

for (const [engine, metadata] of [
  ['20.10', { 'containerimage.digest': 'sha256:config' }],
  ['26 with overlay2', { 'containerimage.config.digest': 'sha256:config', 'containerimage.digest': 'sha256:config' }],
  ['with the containerd store', { 'containerimage.config.digest': 'sha256:config', 'containerimage.digest': 'sha256:manifest' }],
] as const) {
  test(`the image id of engine ${engine} is the configuration's digest`, () =>
    assert.is(builtImageId(JSON.stringify(metadata), 'api'), 'sha256:config'))
}

test('a build that names no image is a failure', () => assert.throws(() => builtImageId('{}', 'api'), /did not say which image/))

test('a build shows its output and leaves no file behind', async () => {
  const { builder, commands } = docker(ok('#1 one\n#2 two'), '{"containerimage.digest":"sha256:config"}')
  const lines: string[] = []
  assert.is(await builder.build(request, (line) => lines.push(line), signal), 'sha256:config')
  assert.equal(lines, ['#1 one', '#2 two'])
  const metadataFile = commands[0]?.argv.find((arg) => arg.endsWith('metadata.json')) ?? ''
  await rejects(readFile(metadataFile), /ENOENT/)
})

test('other content is built under another folder name, the same content under the same', async () => {
  const { builder, commands } = docker(ok(), '{"containerimage.digest":"sha256:config"}')
  for (const tag of ['sc-1', 'sc-2', 'sc-1']) await builder.build({ ...request, tags: [tag] }, () => {}, signal)
  const [one, two, three] = commands.map(({ argv }) => basename(argv.at(-1) ?? ''))
  assert.is.not(one, two)
  assert.is(one, three)
})

test('a context that BuildKit fetches itself is left as it is', async () => {
  const { builder, commands } = docker(ok(), '{"containerimage.digest":"sha256:config"}')
  await builder.build({ ...request, context: 'https://git.test/shop.git#main' }, () => {}, signal)
  assert.is(commands[0]?.argv.at(-1), 'https://git.test/shop.git#main')
})

test('a failed build carries its last twenty lines', async () => {
  const { builder } = docker(failed(Array.from({ length: 30 }, (_, n) => `line ${n}`).join('\n')))
  const error = await rejects(
    builder.build(request, () => {}, signal),
    /failed with exit code 1: line 29/,
  )
  const { output, reason } = (error as TaskFailure).failure
  assert.is(reason, 'exit')
  assert.is(output?.length, 20)
  assert.is(output?.at(-1), 'line 29')
})

test('an image that the engine does not have has no id', async () => {
  assert.is(await docker(ok('sha256:config\n')).builder.imageId('api:1'), 'sha256:config')
  assert.is(await docker(failed('Error: No such image: api:1')).builder.imageId('api:1'), undefined)
  await rejects(docker(failed('Error response from daemon: boom')).builder.imageId('api:1'), /boom/)
})

test('a tag that cannot be given is a failure', async () => {
  const { builder, commands } = docker(ok())
  await builder.tag('api:1', 'api:2')
  assert.equal(commands[0]?.argv, ['docker', 'image', 'tag', 'api:1', 'api:2'])
  await rejects(docker(failed('No such image: api:1')).builder.tag('api:1', 'api:2'), /docker image tag failed/)
})

test('a push is confirmed by the registry, by digest', async () => {
  const { builder, registry } = docker(ok(`abc: Pushed\nsc-1: digest: ${digest} size: 1357\n`))
  registry.hold('registry.test/api:sc-1', { digest, imageId: 'sha256:config' })
  assert.is(await builder.push('registry.test/api:sc-1', () => {}, signal), digest)
  assert.equal(registry.asked, [`registry.test/api@${digest}`])
})

test('a push that prints no digest is confirmed by tag', async () => {
  const { builder, registry } = docker(ok('done\n'))
  registry.hold('registry.test/api:sc-1', { digest, imageId: 'sha256:config' })
  assert.is(await builder.push('registry.test/api:sc-1', () => {}, signal), digest)
})

test('a push that the registry knows nothing of is a failure', async () => {
  const { builder } = docker(ok(`sc-1: digest: ${digest} size: 1\n`))
  await rejects(
    builder.push('registry.test/api:sc-1', () => {}, signal),
    /registry.test does not have/,
  )
})

test('a push without credentials says where to log in', async () => {
  const error = await rejects(docker(failed('no basic auth credentials')).builder.push('registry.test/api:sc-1', () => {}, signal))
  assert.is((error as TaskFailure).failure.remedy, 'docker login registry.test')
})

for (const [stderr, reason, remedy] of [
  ['ERROR: Cannot connect to the Docker daemon at unix:///nope. Is the docker daemon running?', 'unreachable', /start Docker/],
  ['failed to connect to the docker API at unix:///nope', 'unreachable', /start Docker/],
  ['permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock', 'refused', /let your user/],
  ["docker: 'buildx' is not a docker command.", 'refused', /install buildx/],
  ['docker: unknown command: docker buildx', 'refused', /install buildx/],
  ['unknown flag: --provenance', 'refused', /install buildx/],
  ['ERROR: failed to solve: unsupported frontend capability moby.buildkit.frontend.contexts', 'refused', /Engine 23/],
  ['write /var/lib/docker/x: no space left on device', 'refused', /make room/],
  ['denied: requested access to the resource is denied', 'refused', /^docker login$/],
  ['#7 0.1 rm: permission denied: no space left on device\nERROR: failed to solve: process "/bin/sh -c x"', 'exit', /^$/],
  ['process "/bin/sh -c false" did not complete successfully: exit code: 1', 'exit', /^$/],
] as const) {
  test(`${JSON.stringify(stderr.slice(0, 60))} is ${reason}`, () => {
    const { failure } = dockerFailure('api', 'docker buildx build', failed(stderr), [])
    assert.is(failure.reason, reason)
    assert.match(failure.remedy ?? '', remedy)
  })
}

test.run()
