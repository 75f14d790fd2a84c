import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { JsonObject, TaskId } from '../../graph/types.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import { render, renderProblems, unresolvedVariables } from '../../tasks/render.ts'
import { storeProjectTree } from '../../tasks/rendering/project-tree.ts'
import { serviceReferences } from '../../tasks/rendering/references.ts'
import { escapeDollars } from '../../tasks/rendering/template.ts'
import { rejects } from '../support/assertions.ts'
import { paramsOf, type RenderCase, renderCase } from './rendering/render-case.ts'
import { MemoryContent } from './rendering/task-context.ts'

const test = suite('tasks/render')

/** `<NAME>` for a placeholder: keeps them apart from those of this language. */
const holder = (text: string) => text.replace(/<([^>]+)>/g, (_, inside: string) => `\${${inside}}`)
const one = (definition: JsonObject, rest: Partial<RenderCase> = {}): RenderCase => ({
  compose: { services: { app: { image: 'busybox', ...definition } } },
  ...rest,
})

async function failureOf(given: RenderCase): Promise<TaskFailure['failure']> {
  const error = await rejects(renderCase(given))
  assert.instance(error, TaskFailure, error.stack)
  return (error as TaskFailure).failure
}

// --- what is refused ---

test('variables without value or default are all reported, with the service and the place', async () => {
  const failure = await failureOf({
    compose: {
      services: {
        web: { image: holder('x:<TAG>'), command: ['a', holder('<B>')] },
        db: { image: 'y', environment: { C: holder('<C:?say why>') } },
      },
      networks: { default: { name: holder('<NET>') }, other: { name: holder('<NOT_ASKED>') } },
    },
  })
  assert.is(
    failure.message,
    [
      'web: image: `TAG` has no value and no default',
      'web: command[1]: `B` has no value and no default',
      'db: environment.C: `C` has no value and no default: say why',
      'networks.default: name: `NET` has no value and no default',
    ].join('\n'),
  )
  assert.match(failure.remedy ?? '', /environments\.prod\.variables/)
})
test('unresolved variables are known before anything runs, without any value of a secret', () => {
  const given = one(
    { command: holder('<A> <B:-x> <SECRET> <FROM_FILE>') },
    { params: { secretNames: ['SECRET'], envFileNames: ['FROM_FILE'] } },
  )
  assert.equal(
    unresolvedVariables(paramsOf(given)).map(({ name, owner, path }) => [name, owner, path]),
    [['A', 'app', 'command']],
  )
})
test('a declared secret without a value is unresolved, and takes its default when it has one', async () => {
  const params = { secretNames: ['GONE'] }
  assert.match((await failureOf(one({ command: holder('<GONE>') }, { params }))).message, /`GONE` has no value/)
  const { text, values } = await renderCase(one({ command: holder('<GONE:-default>') }, { params }))
  assert.match(text, 'command: default')
  assert.equal(values.variables, [])
})

const refused: readonly (readonly [what: string, given: RenderCase, message: RegExp])[] = [
  ['a bind outside the project', one({ volumes: ['../x:/x'] }), /`\.\.\/x` is outside the project folder/],
  ['a bind outside by way of a folder', one({ volumes: ['./a/../../x:/x'] }), /outside the project folder/],
  ['an env_file outside the project', one({ env_file: '../x.env' }), /outside the project folder/],
  ['the whole project as a bind', one({ volumes: ['.:/app'] }), /is the whole project folder/],
  ['the whole project as a long bind', one({ volumes: [{ type: 'bind', source: './', target: '/x' }] }), /is the whole project folder/],
  ['a bound file that is not there', one({ volumes: ['./no:/x'] }), /^no does not exist/],
  [
    'a secret file that is not there',
    { compose: { ...one({ secrets: ['s'] }).compose, secrets: { s: { file: 'no.pem' } } } },
    /`no.pem` does not exist/,
  ],
  ['an env_file that is not there', one({ env_file: [{ path: 'no.env' }] }), /`no.env` does not exist/],
  [
    'a path that depends on a secret',
    one({ volumes: [`./${holder('<S>')}:/x`] }, { params: { secretNames: ['S'] }, secrets: { S: 's' } }),
    /depends on a secret/,
  ],
  [
    'a namespace shared with a service elsewhere',
    one({ network_mode: 'service:vpn' }),
    /network_mode: `vpn` is a service that does not run on this host/,
  ],
  ['a service with neither image nor build', { compose: { services: { app: {} } } }, /neither an image nor a build/],
  ['a placeholder that is none', one({ command: holder('<A!>') }), /not a valid placeholder/],
  [
    'a relative device',
    { compose: { ...one({ volumes: ['v:/v'] }).compose, volumes: { v: { driver_opts: { o: 'bind', type: 'none', device: './data' } } } } },
    /`\.\/data` is relative/,
  ],
  [
    'a secret from a variable nobody sets',
    { compose: { ...one({ secrets: ['s'] }).compose, secrets: { s: { environment: 'NOBODY' } } } },
    /`NOBODY` has no value/,
  ],
  [
    'a bound folder with a secret file in it',
    one({ volumes: ['./conf:/conf'], env_file: 'conf/a.env' }, { files: { 'conf/a.env': 'A=1' }, secrets: { 'file:conf/a.env': 'A=1' } }),
    /contains conf\/a\.env, which is a secret/,
  ],
]
for (const [what, given, message] of refused)
  test(`${what} is refused`, async () => assert.match((await failureOf(given)).message, message))

test('what can be told from the text alone is known before anything runs', () => {
  assert.equal(
    renderProblems(paramsOf(one({ volumes: ['../x:/x'], command: holder('<A>') }))).map(({ name }) => name),
    ['A', '../x'],
  )
})
test('a symbolic link is not copied, wherever it stands', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'stagecraft-tree-'))
  try {
    mkdirSync(join(directory, 'real/inner'), { recursive: true })
    writeFileSync(join(directory, 'real/inner/file'), 'x')
    symlinkSync('real', join(directory, 'link'))
    symlinkSync('../file', join(directory, 'real/inner/link'))
    const content = new MemoryContent()
    for (const path of ['link', 'link/inner/file', 'real']) await rejects(storeProjectTree(directory, path, content), /symbolic link/)
    assert.equal(
      (await storeProjectTree(directory, 'real/inner/file', content)).map(({ path }) => path),
      [''],
    )
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('what is neither a file nor a folder is not copied', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'stagecraft-tree-'))
  const server = createServer()
  try {
    await new Promise<void>((resolve) => server.listen(join(directory, 'socket'), resolve))
    await rejects(storeProjectTree(directory, 'socket', new MemoryContent()), /socket is neither a file nor a folder/)
  } finally {
    await new Promise((resolve) => server.close(resolve))
    rmSync(directory, { recursive: true })
  }
})

// --- what is written ---

test('D1: only services whose image is ours get it; the others stay as written', async () => {
  const compose = { services: { api: { image: holder('<NO>/api') }, db: { image: holder('postgres:<PG:-16>') } } }
  const { text, values } = await renderCase({ compose, services: { api: { push: 'push:api' } }, digests: { 'push:api': 'sha256:abc' } })
  assert.is(values.services['api']?.image, 'registry.example/shop/api@sha256:abc')
  assert.is(values.services['db']?.image, 'postgres:16')
  assert.not.match(text, 'NO')
})
test('D2: two projects do not collide, and no path is relative to the file but its own', async () => {
  const { text } = await renderCase(one({ volumes: ['./a.conf:/a'] }, { files: { 'a.conf': '' } }))
  assert.match(text, /^name: shop-prod\n/)
  assert.match(text, '- /opt/stagecraft/shop/prod/files/')
})
test('D3: a dollar sign in a value is what the container gets, and a secret is in no file of the cache', async () => {
  const given = one(
    { environment: { A: holder('<PLAIN>'), B: holder('<SECRET>') } },
    { params: { plain: { PLAIN: 'p$w' }, secretNames: ['SECRET'] }, secrets: { SECRET: 'hun$ter2' } },
  )
  const { text, values, content } = await renderCase(given)
  assert.match(text, 'A: p$$w')
  assert.match(text, holder('B: <SECRET>'))
  assert.equal(values.variables, ['SECRET'])
  assert.not([...content.blobs.values()].some((bytes) => Buffer.from(bytes).includes('hun$ter2')))
})
test('D4: variables in a list stay when there is an environment file', async () => {
  const given = one(
    { environment: ['A=1', 'B=2'], env_file: 'app.env' },
    { files: { 'app.env': 'B=3' }, secrets: { 'file:app.env': 'B=3' } },
  )
  const { text } = await renderCase(given)
  assert.match(text, /environment:\n {6}A: "1"\n {6}B: "2"\n/)
})
test('D30: unknown top-level keys are kept', async () => {
  const { text } = await renderCase({ compose: { ...one({}).compose, models: { m: { model: 'ai/x' } }, 'x-note': 'hi' } })
  assert.match(text, /models:\n {2}m:\n {4}model: ai\/x\nx-note: hi\n$/)
})
test('an extension asks for no variable and no secret: nothing reads it', async () => {
  const compose = { ...one({}).compose, 'x-note': { a: holder('<NOBODY>'), b: holder('<S>'), c: holder('<P>') } }
  const { text, values } = await renderCase({ compose, params: { secretNames: ['S'], plain: { P: 'plain' } }, secrets: { S: 's' } })
  assert.match(text, holder('a: $<NOBODY>\n  b: $<S>\n  c: plain\n'))
  assert.equal(values.variables, [])
})
test('COMPOSE_PROJECT_NAME is known, and COMPOSE_ names of the environment file do not reach Compose', async () => {
  const params = { envFileNames: ['COMPOSE_PROFILES', 'A'], secretNames: ['COMPOSE_PROFILES', 'A'] }
  const given = one(
    { command: holder('<COMPOSE_PROJECT_NAME>') },
    { params, secrets: { COMPOSE_PROFILES: 'x', A: 'a' }, services: { app: { ownCode: true } } },
  )
  const { text, values } = await renderCase(given)
  assert.match(text, 'command: shop-prod')
  assert.equal(values.variables, ['A'])
})
test('names only the environment file has are given to our code, and a plain value of the same name is what placeholders get', async () => {
  const params = { envFileNames: ['A'], plain: { A: 'plain' } }
  const { text, values } = await renderCase(
    one({ command: holder('<A>') }, { params, secrets: { A: 'file' }, services: { app: { ownCode: true } } }),
  )
  assert.match(text, 'command: plain')
  assert.equal(values.variables, ['A'])
})
test('an optional env_file that is not there is left out', async () => {
  const { text } = await renderCase(one({ env_file: [{ path: 'no.env', required: false }] }))
  assert.not.match(text, 'env_file')
})
test('files, folders, variables and secret files are declared as inputs', () => {
  const given = one(
    { volumes: ['./conf/a[1].conf:/a', './site:/b'], env_file: 'app.env', command: holder('<S> <P:+x<IN_BRANCH_NOT_TAKEN>>') },
    {
      params: { secretNames: ['S', 'IN_BRANCH_NOT_TAKEN', 'NOT_USED'], envFileNames: ['E'], plain: {} },
      services: { app: { ownCode: true } },
    },
  )
  assert.equal(render.inputs?.(paramsOf(given)), {
    files: [
      { root: 'conf', include: ['a\\[1\\].conf', 'a\\[1\\].conf/**'] },
      { root: '.', include: ['site', 'site/**'] },
    ],
    secrets: ['E', 'S', 'file:app.env'],
  })
})
test('of a push only repository and digest matter', () => {
  const result = { files: {}, values: { repository: 'r', digest: 'd', tags: ['v1'] } }
  assert.equal(render.select?.({}, 'push:web' as TaskId, result), { repository: 'r', digest: 'd' })
})
test('references to other services are found in every form', () => {
  const definition = {
    depends_on: { db: {} },
    network_mode: 'service:vpn',
    pid: 'host',
    links: ['a:b'],
    volumes_from: ['c:ro', 'container:d'],
  }
  assert.equal(serviceReferences(definition), {
    dependsOn: ['db'],
    sharesWith: [
      { service: 'vpn', path: 'network_mode' },
      { service: 'a', path: 'links' },
      { service: 'c', path: 'volumes_from' },
    ],
  })
})

// --- hashes ---

const base: RenderCase = {
  params: { plain: { P: '1', UNUSED: '1' }, secretNames: ['S', 'OTHER'], envFileNames: ['E'], hostEnvFile: null },
  compose: {
    services: {
      web: {
        environment: { P: holder('<P>'), U: holder('u:<S>') },
        volumes: ['./conf:/conf', 'data:/data'],
        networks: ['net'],
        env_file: 'web.env',
        secrets: ['key', 'token'],
        configs: ['c'],
        scale: 2,
      },
      own: { image: 'x' },
      other: { image: 'busybox', environment: { O: holder('<OTHER>') } },
    },
    networks: { net: { driver: 'bridge' }, default: { name: 'd' } },
    volumes: { data: { labels: { a: '1' } } },
    configs: { c: { content: holder('s=<S>') } },
    secrets: { key: { file: 'key.pem' }, token: { environment: 'S' } },
    'x-note': 1,
  },
  services: { web: { push: 'push:web' }, own: { push: 'push:own', ownCode: true } },
  files: { 'conf/a': 'a', 'conf/b/c': 'c' },
  secrets: { S: 'secret-s', OTHER: 'secret-o', E: 'secret-e', 'file:web.env': 'A=secret-w', 'file:key.pem': 'secret-k' },
  digests: { 'push:web': 'sha256:web1', 'push:own': 'sha256:own1' },
}
type Path = readonly [string, ...string[]]
function changed<T>(value: T, [first, ...rest]: Path, to: unknown): T {
  const [next, ...others] = rest
  const members = value as Record<string, unknown>
  return { ...members, [first]: next === undefined ? to : changed(members[first] ?? {}, [next, ...others], to) } as T
}
const service = (name: string, ...path: string[]): Path => ['compose', 'services', name, ...path]

const sensitivity: readonly (readonly [what: string, path: Path, to: unknown, hashes: readonly string[]])[] = [
  ['the definition', service('web', 'command'), 'x', ['web']],
  ['a plain variable it uses', ['params', 'plain'], { P: '2', UNUSED: '1' }, ['web']],
  ['a plain variable nobody uses', ['params', 'plain'], { P: '1', UNUSED: '2' }, []],
  ['its image', ['digests', 'push:web'], 'sha256:web2', ['web']],
  ['the content of a bound file', ['files', 'conf/b/c'], 'C', ['web']],
  ['the name of a bound file', ['files'], { 'conf/a': 'a', 'conf/b/d': 'c' }, ['web']],
  ['the mode of a bound file', ['executable'], ['conf/a'], ['web']],
  ['a file that nobody binds', ['files', 'README'], 'x', []],
  ['a secret it and our code see', ['secrets', 'S'], 'rotated', ['own', 'web']],
  ["another service's secret, which our code sees", ['secrets', 'OTHER'], 'rotated', ['other', 'own']],
  ["the environment file's value", ['secrets', 'E'], 'rotated', ['own']],
  ['its own env_file', ['secrets', 'file:web.env'], 'A=2', ['web']],
  ['its secret file', ['secrets', 'file:key.pem'], 'rotated', ['web']],
  ['its network', ['compose', 'networks', 'net', 'driver'], 'overlay', ['web']],
  ['the default network', ['compose', 'networks', 'default', 'name'], 'e', ['other', 'own']],
  ['its volume', ['compose', 'volumes', 'data', 'labels', 'a'], '2', ['web']],
  ['its config', ['compose', 'configs', 'c', 'content'], 'other', ['web']],
  ['a network nobody uses', ['compose', 'networks', 'unused'], {}, []],
  ['an extension', ['compose', 'x-note'], 2, []],
  ['its replicas', ['services', 'web', 'replicas'], 3, []],
  ['its scale as written', service('web', 'scale'), 5, []],
  ['its profiles', service('web', 'profiles'), ['x'], []],
  ['its order in the file', service('web', 'volumes'), ['data:/data', './conf:/conf'], ['web']],
  ['the environment in list form', service('web', 'environment'), [holder('U=u:<S>'), 'P=1'], []],
  ['the host file of our code', ['params', 'hostEnvFile'], '/etc/env', ['own']],
  ['another project', ['params', 'project'], 'shoe', ['other', 'own', 'web']],
  ['another environment', ['params', 'environment'], 'qa', ['other', 'own', 'web']],
]
for (const [what, path, to, expected] of sensitivity)
  test(`hashes: ${what} changes ${expected.length === 0 ? 'none' : expected.join(' and ')}`, async () => {
    const [before, after] = [await renderCase(base), await renderCase(changed(base, path, to))]
    const names = Object.keys(after.values.services)
    assert.equal(
      names.filter((name) => before.values.services[name]?.hash !== after.values.services[name]?.hash),
      expected,
    )
    if (expected.length > 0) assert.is.not(after.values.bundle, before.values.bundle)
  })

test('a composed and a decomposed letter are different values, and so different hashes', async () => {
  const [a, b] = [await renderCase(one({ environment: { A: '\u00e9' } })), await renderCase(one({ environment: { A: 'e\u0301' } }))]
  assert.is.not(a.values.services['app']?.hash, b.values.services['app']?.hash)
})
test('every service carries its hash, and neither version nor release', async () => {
  const { text, values } = await renderCase(base)
  for (const { hash } of Object.values(values.services)) assert.match(text, `stagecraft.hash: ${hash}`)
  assert.not.match(text, /stagecraft\.(version|release)/)
})

// --- properties ---

test('the same input twice gives the same bytes, whatever the order of its keys', async () => {
  const reversed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reversed)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, member]) => [key, reversed(member)]),
    )
  }
  const [first, again, other] = [await renderCase(base), await renderCase(base), await renderCase(reversed(base) as RenderCase)]
  assert.equal(again.result, first.result)
  assert.is(other.text, first.text)
  assert.is(other.values.bundle, first.values.bundle)
})
test('no byte that is stored or returned holds a secret value', async () => {
  const value = fc.string({ unit: 'grapheme', minLength: 6, maxLength: 20 }).map((text) => `~${text}~`)
  await fc.assert(
    fc.asyncProperty(fc.record({ S: value, OTHER: value, E: value, 'file:web.env': value, 'file:key.pem': value }), async (secrets) => {
      const { content, result } = await renderCase({ ...base, secrets })
      const visible = [...content.blobs.values()].map((bytes) => Buffer.from(bytes).toString()).join('\n') + JSON.stringify(result)
      for (const secret of Object.values(secrets)) {
        for (const form of [secret, escapeDollars(secret), JSON.stringify(secret).slice(1, -1)]) assert.is(visible.includes(form), false)
      }
    }),
    { numRuns: 30 },
  )
})

test.run()
