/** Images against a real engine and a real registry with TLS and a password. */
import { readdirSync, readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import { createBuilder } from '../../src/hosts/builder.ts'
import { runProcess } from '../../src/hosts/process.ts'
import { createRegistry } from '../../src/hosts/registry.ts'
import { build, builtImage } from '../../tasks/build.ts'
import { type TaskContext, TaskFailure } from '../../tasks/kind.ts'
import type { Builder, BuildRequest } from '../../tasks/ports.ts'
import { push } from '../../tasks/push.ts'
import { rejects, within } from '../support/assertions.ts'
import { imageWorld } from '../support/fake-images.ts'
import { labSuite } from '../support/lab-suite.ts'

const images = await labSuite('e2e/images')
const { test, lab, obstacle } = images

const minute = 60_000
const signal = new AbortController().signal
const directory = await mkdtemp(join(tmpdir(), 'images-'))
/** Unique to this run: the registry keeps what earlier runs have pushed. */
const unique = directory.slice(-6).toLowerCase()
const repository = () => `${lab().registry.address}/images-${unique}/api`
const made = new Set<string>()

// Each end-to-end file has a process of its own; the `docker` command looks nowhere else.
if (obstacle === undefined) process.env['DOCKER_CONFIG'] = lab().registry.dockerConfigDir

/** A project folder with a Dockerfile of these lines. */
async function project(name: string, ...lines: readonly string[]): Promise<string> {
  const folder = join(directory, name)
  await mkdir(folder)
  await writeFile(join(folder, 'Dockerfile'), [`FROM ${lab().images.busybox}`, ...lines, ''].join('\n'))
  await writeFile(join(folder, 'server.js'), `// ${unique}\n`)
  return folder
}

function request(folder: string, tag: string, more: Partial<BuildRequest> = {}): BuildRequest {
  made.add(`${repository()}:${tag}`)
  return {
    ...{ context: folder, dockerfile: join(folder, 'Dockerfile'), args: {}, platforms: [], secrets: [], ssh: [], additionalContexts: {} },
    ...{ cacheFrom: [], withheld: [], labels: {}, tags: [`${repository()}:${tag}`], noCache: false },
    ...more,
  }
}

const quiet = () => {}
const buildNow = (builder: Builder, wanted: BuildRequest, onLine: (line: string) => void = quiet) =>
  within(2 * minute, builder.build(wanted, onLine, signal))

/** A registry client that knows nothing yet, and the builder and task contexts that use it. */
function fresh() {
  const registry = createRegistry()
  const builder = createBuilder({ registry })
  const world = imageWorld()
  const context = (folder: string, ...args: Parameters<typeof world.context>): TaskContext => {
    const plain = world.context(...args)
    return { ...plain, ports: { ...plain.ports, registry, builder, projectDirectory: folder } }
  }
  return { registry, builder, context }
}

async function failureOf(promise: Promise<unknown>) {
  const error = await rejects(within(minute, promise))
  assert.instance(error, TaskFailure)
  return (error as TaskFailure).failure
}

/** Command lines of all processes of the machine. */
function commandLines(): readonly string[] {
  const read = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    } catch {
      return '' // It has ended in the meantime.
    }
  }
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(read)
}

test.after(async () => {
  if (made.size > 0) await runProcess({ argv: ['docker', 'image', 'rm', '--force', ...made] })
  await rm(directory, { recursive: true, force: true })
})

test('building again, from another folder and with other file times, gives the same image', async () => {
  const { builder } = fresh()
  const one = await project('one', 'COPY . /app')
  const two = join(directory, 'two')
  await cp(one, two, { recursive: true })
  await utimes(join(two, 'server.js'), 1, 1)
  const first = await buildNow(builder, request(one, 'same'))
  assert.match(first, /^sha256:[0-9a-f]{64}$/)
  assert.is(await buildNow(builder, request(two, 'same')), first)
  assert.is(await builder.imageId(`${repository()}:same`), first)
  assert.is(await builder.imageId(`${repository()}:never-built`), undefined)
})

test('content of the same size and time is not mistaken for what was built before', async () => {
  const { builder } = fresh()
  const long = new Date('1985-10-26T08:15:00Z')
  const text = async (letter: string) => {
    const folder = join(directory, letter, 'same-name')
    const wanted = request(folder, `stale-${letter}`, { dockerfile: join(folder, 'docker/Dockerfile') })
    const files = { 'app/server.js': letter, 'docker/Dockerfile': dockerfile(letter) }
    for (const [name, content] of Object.entries(files)) {
      await mkdir(join(folder, dirname(name)), { recursive: true })
      await writeFile(join(folder, name), content)
      await utimes(join(folder, name), long, long)
    }
    const lines: string[] = []
    await buildNow(builder, { ...wanted, context: join(folder, 'app') }, (line) => lines.push(line))
    return lines.map((line) => /found (\w+)$/.exec(line)?.[1]).filter((found) => found !== undefined)
  }
  const dockerfile = (letter: string) =>
    `FROM ${lab().images.busybox}\nCOPY server.js /\nRUN echo found ${letter}$(cat /server.js)${unique}\n`
  assert.equal(await text('a'), [`aa${unique}`])
  assert.equal(await text('b'), [`bb${unique}`])
})

test('what was built and pushed is fresh to a machine with an empty cache; a build of the same image moves nothing', async () => {
  const folder = await project('shop', 'COPY . /app')
  const buildParams = {
    ...{
      service: 'api',
      repository: repository(),
      context: '.',
      dockerfile: 'Dockerfile',
      dockerignore: null,
      withheld: [],
      target: null,
      args: {},
    },
    ...{ platforms: [], secrets: {}, ssh: [], additionalContexts: {}, cacheFrom: [], labels: {}, remote: true },
  }
  const pushParams = { service: 'api', repository: repository(), build: 'build:api' }
  const fingerprint = '1'.repeat(64)
  made.add(`${repository()}:v1`)

  const here = fresh()
  const buildHere = here.context(folder, 'build:api', { fingerprint })
  assert.not((await build.observe?.(buildParams, buildHere, undefined))?.fresh)
  const built = await within(2 * minute, build.run(buildParams, buildHere))
  made.add(`${repository()}:${builtImage(built).tag}`)
  const pushHere = here.context(folder, 'push:api', { needs: { 'build:api': built } })
  assert.not((await push.observe?.(pushParams, pushHere, undefined))?.fresh)
  const pushed = await within(2 * minute, push.run(pushParams, pushHere))
  assert.ok((await push.observe?.(pushParams, pushHere, undefined))?.fresh)
  assert.is((await here.registry.manifest(`${repository()}:v1`))?.digest, pushed.values['digest'])

  const elsewhere = fresh()
  elsewhere.builder.imageId = async () => undefined
  const buildLook = await build.observe?.(buildParams, elsewhere.context(folder, 'build:api', { fingerprint }), undefined)
  const pushLook = await push.observe?.(pushParams, elsewhere.context(folder, 'push:api', { needs: { 'build:api': built } }), undefined)
  assert.equal(buildLook?.fresh && buildLook.result, built)
  assert.equal(pushLook?.fresh && pushLook.result, pushed)

  // Another fingerprint, the same image: another tag, no layer, the same digest.
  const later = fresh()
  const rebuilt = await build.run(buildParams, later.context(folder, 'build:api', { fingerprint: '2'.repeat(64) }))
  made.add(`${repository()}:${builtImage(rebuilt).tag}`)
  const again = later.context(folder, 'push:api', { needs: { 'build:api': rebuilt } })
  const lines: string[] = []
  assert.is(builtImage(rebuilt).imageId, builtImage(built).imageId)
  assert.equal(await push.run(pushParams, { ...again, log: (line) => lines.push(line) }), pushed)
  assert.not(
    lines.some((line) => /: Pushed/.test(line)),
    lines.join('\n'),
  )
})

test('a registry without credentials says where to log in, when asked and when pushed to', async () => {
  const { builder } = fresh()
  await buildNow(builder, request(await project('locked', 'COPY . /app'), 'locked'))
  const environment = { DOCKER_CONFIG: join(directory, 'nothing') }
  const asked = await failureOf(createRegistry({ environment }).manifest(`${repository()}:locked`))
  assert.match(asked.message, /^registry without credentials/)
  const withoutLogin: typeof runProcess = (command, options) => runProcess({ ...command, env: environment }, options)
  const blind = createBuilder({ registry: createRegistry({ environment }), run: withoutLogin })
  const pushed = await failureOf(blind.push(`${repository()}:locked`, quiet, signal))
  for (const failure of [asked, pushed]) assert.is(failure.remedy, `docker login ${lab().registry.address}`)
})

test('a certificate is trusted where Docker trusts its issuer, and nowhere else', async () => {
  assert.is(await createRegistry().manifest(`${repository()}:never-pushed`), undefined)
  const failure = await failureOf(createRegistry({ certificatesDirectory: directory }).manifest(`${repository()}:never-pushed`))
  assert.match(failure.message, /is not trusted/)
  assert.is(failure.remedy?.includes(join(directory, lab().registry.address, 'ca.crt')), true)
})

test('a build secret is in no argument list and nowhere in the image', async () => {
  const { builder } = fresh()
  const value = `hunter2-${unique}`
  const folder = await project('secret', 'RUN --mount=type=secret,id=npm echo size $(wc -c < /run/secrets/npm)')
  const lines: string[] = []
  let watched = 0
  let leaked = 0
  const wanted = request(folder, 'secret', { secrets: [{ id: 'npm', value }], noCache: true })
  await buildNow(builder, wanted, (line) => {
    lines.push(line)
    for (const text of commandLines()) {
      if (text.includes('buildx') && text.includes(`${repository()}:secret`)) watched += 1
      if (text.includes(value)) leaked += 1
    }
  })
  assert.ok(
    lines.some((line) => line.includes(`size ${value.length}`)),
    lines.join('\n'),
  )
  assert.ok(watched > 0, 'the build was seen while it ran')
  assert.is(leaked, 0)
  const reference = `${repository()}:secret`
  for (const argv of [
    ['history', '--no-trunc', reference],
    ['inspect', reference],
  ]) {
    const { code, stdout } = await runProcess({ argv: ['docker', 'image', ...argv] })
    assert.is(code, 0)
    assert.not(stdout.includes(value))
  }
})

test('an interrupted build leaves no process behind', async () => {
  const { builder } = fresh()
  const controller = new AbortController()
  const folder = await project('long', 'RUN echo begun && sleep 600')
  const wanted = request(folder, 'long', { noCache: true })
  const onLine = (line: string) => {
    if (/\d begun/.test(line)) controller.abort()
  }
  const failure = await failureOf(builder.build(wanted, onLine, controller.signal))
  assert.is(failure.reason, 'interrupted')
  assert.equal(
    commandLines().filter((text) => text.includes(`${repository()}:long`)),
    [],
  )
})

test('a build that fails shows what failed', async () => {
  const { builder } = fresh()
  const folder = await project('broken', 'RUN echo before the fall && exit 3')
  const failure = await failureOf(builder.build(request(folder, 'broken'), quiet, signal))
  assert.is(failure.reason, 'exit')
  assert.match(failure.message, /exit code: 3/)
  assert.match(failure.output?.join('\n') ?? '', /before the fall/)
})

test('an image for two kinds of machines is one index, which a machine without memory recognises', async () => {
  const folder = await project('several')
  await writeFile(join(folder, 'Dockerfile'), 'FROM scratch\nCOPY server.js /\n')
  const params = {
    ...{ service: 'api', repository: repository(), context: '.', dockerfile: 'Dockerfile', dockerignore: null, withheld: [] },
    ...{ target: null, args: {}, platforms: ['linux/amd64', 'linux/arm64'], secrets: {}, ssh: [], additionalContexts: {} },
    ...{ cacheFrom: [], labels: {}, remote: true },
  }
  const fingerprint = '5'.repeat(64)
  const here = fresh()
  const built = await within(2 * minute, build.run(params, here.context(folder, 'build:api', { fingerprint })))
  const reference = `${repository()}:${builtImage(built).tag}`
  for (const platform of params.platforms) made.add(`${reference}-${platform.replace('/', '-')}`)
  const pushParams = { service: 'api', repository: repository(), build: 'build:api' }
  const pushed = await within(2 * minute, push.run(pushParams, here.context(folder, 'push:api', { needs: { 'build:api': built } })))

  const elsewhere = fresh()
  elsewhere.builder.imageId = async () => undefined
  const index = await elsewhere.registry.manifest(reference)
  assert.is(index?.digest, pushed.values['digest'])
  assert.equal(Object.keys(index?.platforms ?? {}), params.platforms)
  const look = await build.observe?.(params, elsewhere.context(folder, 'build:api', { fingerprint }), undefined)
  assert.equal(look?.fresh && look.result, built)
  const pulled = await runProcess({ argv: ['docker', 'pull', '--platform', 'linux/arm64', `${repository()}@${index?.digest}`] })
  assert.is(pulled.code, 0, pulled.stderr)
  const name = `${repository()}@${index?.digest}`
  const shown = await runProcess({ argv: ['docker', 'image', 'inspect', '--format', '{{.Architecture}}', name] })
  assert.is(shown.stdout.trim(), 'arm64')
})

images.run()
