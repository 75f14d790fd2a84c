/** What an earlier program of this kind got wrong about deploying, one line each; the numbers are those of the list they were found under. */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import type { Task } from '../../graph/types.ts'
import { parseConfig } from '../../src/config/load.ts'
import { deployTasks } from '../../src/pipelines/deploy.ts'
import { allPhases } from '../../src/releases/release.ts'
import { rollbackImages } from '../../src/releases/rollback-images.ts'
import { chooseRollback } from '../../src/releases/rollback-target.ts'
import { kinds } from '../../tasks/index.ts'
import { modes } from '../../tasks/rendering/bundle-layout.ts'
import { accepted, resolved } from '../src/config/told.ts'
import { stagecraft } from '../support/cli.ts'
import { release } from '../support/releases.ts'
import { RolloutRig } from '../support/rollout-rig.ts'
import { writeProject } from '../support/session-project.ts'
import { inTemporaryDirectory } from '../support/temporary-directory.ts'
import { renderCase } from '../tasks/rendering/render-case.ts'

const test = suite('defects/deploying')

const manifest = `project: {name: shop, registry: ghcr.io/acme/shop}
hosts: {app: [h1], db: [h2]}
services: {api: {role: app}, web: {role: app}, db: {role: db}}
databases: {main: {connection_env: DATABASE_URL, migrations: {path: migrations}}, other: {connection_env: OTHER_URL, migrations: {path: others, strategy: manual}}}
environments: {prod: {}}
`
const compose = 'services: {api: {build: ./api}, web: {build: ./web}, db: {image: "postgres:17"}}\n'

async function tasks(config = manifest, file = compose): Promise<readonly Task[]> {
  return deployTasks(accepted(await resolved(config, file)), { version: 'v1', envFileNames: [], buildArgs: {}, ignoreFiles: {} })
}

const idsOf = (all: readonly Task[], kind: string) => all.filter((task) => task.kind === kind).map(({ id }) => String(id))

async function rendered(given: Parameters<typeof renderCase>[0]) {
  const { text, values, content } = await renderCase(given)
  return {
    file: parse(text) as { name: string; services: Record<string, Record<string, unknown>> } & Record<string, unknown>,
    text,
    values,
    content,
  }
}

test('D1 an image that is ours is written into its own service and into no other', async () => {
  const { file } = await rendered({
    compose: { services: { api: { build: './api' }, db: { image: 'postgres:17' } } },
    services: { api: { push: 'push:api', ownCode: true } },
  })
  assert.match(String(file.services['api']?.['image']), /^registry\.example\/shop\/api@sha256:/)
  assert.is(file.services['db']?.['image'], 'postgres:17')
})

test('D2 paths of the project travel along, and the Compose project is named for project and environment', async () => {
  const { file, values } = await rendered({
    compose: { services: { web: { image: 'nginx', volumes: ['./site.conf:/etc/site.conf:ro'] } } },
    files: { 'site.conf': 'server {}\n' },
  })
  assert.is(file.name, 'shop-prod')
  const mount = (file.services['web']?.['volumes'] as (string | { source: string })[] | undefined)?.[0]
  const source = typeof mount === 'string' ? mount : mount?.source
  assert.match(String(source), /files\//)
  assert.ok(JSON.stringify(values).length > 0)
})

test('D3 a dollar in a value reaches the container as one, and values of secrets stand in a file for their owner only', async () => {
  const { file, text } = await rendered({
    compose: { services: { web: { image: 'nginx', environment: { PRICE: '$$5', PLAIN: '${PLAIN}', TOKEN: '${TOKEN}' } } } },
    params: { plain: { PLAIN: 'a$b' }, secretNames: ['TOKEN'] },
    secrets: { TOKEN: 'p$ss' },
  })
  const environment = file.services['web']?.['environment'] as Record<string, string>
  assert.is(environment['PRICE'], '$$5')
  assert.is(environment['PLAIN'], 'a$$b')
  assert.not.match(text, 'p$ss')
  assert.is(modes.secret, 0o600)
})

test('D4 an environment written as a list survives an environment file', async () => {
  const { file } = await rendered({
    compose: { services: { web: { image: 'nginx', environment: ['A=1', 'B=2'] } } },
    services: { web: { ownCode: true } },
    params: { hostEnvFile: '/etc/shop.env' },
  })
  assert.equal(file.services['web']?.['environment'], { A: '1', B: '2' })
  assert.match(JSON.stringify(file.services['web']?.['env_file']), '/etc/shop.env')
})

test('D5 a deploy that cannot be planned leaves no release behind', () =>
  inTemporaryDirectory(async (cwd) => {
    writeProject(cwd, { 'docker-compose.yml': 'services: {web: {}}\n' })
    assert.is((await stagecraft(['deploy', '--env', 'prod'], { cwd })).code, 1)
    assert.not.ok(existsSync(join(cwd, '.stagecraft/releases.json')))
  }))

test('D6 what an image is called never holds a tag twice', async () => {
  const file = 'services: {api: {build: ./api, image: "ghcr.io/acme/api:${TAG:-latest}"}}\n'
  const { services } = accepted(await resolved(manifest.replace(', web: {role: app}, db: {role: db}', ''), file))
  assert.is(services[0]?.build?.repository, 'ghcr.io/acme/api')
})

test('D7 what counts is the folder of the manifest, not the one it is run from', () =>
  inTemporaryDirectory(async (cwd) => {
    mkdirSync(join(cwd, 'elsewhere'))
    writeProject(join(cwd, 'shop'), { 'migrations/1.sql': '' })
    for (const from of ['.', 'elsewhere', 'shop']) {
      const path = from === 'shop' ? 'stagecraft.yml' : from === '.' ? 'shop/stagecraft.yml' : '../shop/stagecraft.yml'
      const { code, stdout, stderr } = await stagecraft(['graph', '--env', 'prod', '--config', path, '--format', 'json'], {
        cwd: join(cwd, from),
      })
      assert.is(code, 0, stderr)
      assert.match(stdout, 'rollout:web@node-1')
    }
  }))

const image = (letter: string) => ({ web: { ref: 'ghcr.io/acme/web', digest: `sha256:${letter}` } })
const older = release('rel-20260102-030405001', { version: 'v1', images: image('1') })
const failed = release('rel-20260102-030405002', {
  version: 'v2',
  images: image('2'),
  phases: { ...allPhases('completed'), rollout: 'failed', finalize: 'skipped' },
  undone: 'whole',
})
const built = release('rel-20260102-030405003', { kind: 'build', phases: { ...allPhases('skipped'), build: 'completed' } })
const live = release('rel-20260102-030405004', { version: 'v4', images: image('4') })

test('D8 a rollback runs the recorded image, and builds nothing', async () => {
  const found = accepted(rollbackImages(older, [older, live], [{ name: 'web', repository: 'ghcr.io/acme/web' }]))
  assert.is(found.pins['web']?.digest, 'sha256:1')
  const config = 'project: {name: shop, registry: ghcr.io/acme}\nenvironments: {prod: {hosts: [h1]}}\n'
  const deployment = accepted(await resolved(config, 'services: {web: {build: .}}\n'))
  const back = deployTasks(deployment, { version: 'v1', envFileNames: [], buildArgs: {}, ignoreFiles: {}, pins: found.pins })
  assert.equal([...idsOf(back, 'build'), ...idsOf(back, 'push')], [])
  assert.equal(idsOf(back, 'pin'), ['pin:web'])
})

test('D9 "previous" is the last good release, never one that failed or only built', () => {
  const choice = accepted(chooseRollback([older, failed, built, live], 'prod', { by: 'previous' }))
  assert.is(choice.target.id, older.id)
  assert.equal(choice.passed.map((one) => one.release.id).sort(), [failed.id, built.id])
})

test('D10 a build releases nothing, builds the services it was told, and a dry run lists them', () =>
  inTemporaryDirectory(async (cwd) => {
    writeProject(cwd, {
      'docker-compose.yml': 'services: {api: {build: ./api}, web: {build: ./web}}\n',
      'api/Dockerfile': 'FROM scratch\n',
      'web/Dockerfile': 'FROM scratch\n',
    })
    const { stdout, stderr } = await stagecraft(['build', '--env', 'prod', '--services', 'web', '--dry-run', '--version', 'v1'], { cwd })
    assert.match(stdout, 'build:web', stderr)
    assert.not.match(stdout, 'build:api')
    assert.not.match(stdout, 'finalize')
    assert.not.ok(existsSync(join(cwd, '.stagecraft/releases.json')))
  }))

test('D11 docker-rollout is looked for, and called, in the words it has', async () => {
  const rig = new RolloutRig({ driver: 'docker-rollout', replicas: 1 })
  rig.host.answer(/^docker info /, { stdout: '[{"Name":"compose"}]\n' })
  rig.host.answer(/^printenv HOME$/, { stdout: '/root\n' })
  rig.old('web-1')
  let message = ''
  try {
    await rig.run()
  } catch (error) {
    message = String((error as Error).message)
  }
  assert.match(message, '`docker info` there does not list it')
})

test('D12 a part that was asked for is in the plan, what was not is not, and what there is none of is said', () =>
  inTemporaryDirectory(async (cwd) => {
    writeProject(cwd, { 'docker-compose.yml': 'services: {web: {image: nginx}, db: {image: postgres}}\n' })
    const plan = (...argv: string[]) => stagecraft(['plan', '--env', 'prod', '--offline', '--version', 'v1', ...argv], { cwd })
    const { stdout } = await plan('--services', 'web')
    assert.match(stdout, 'rollout:web')
    assert.not.match(stdout, 'rollout:db')
    const none = await plan('--services', 'wbe')
    assert.is(none.code, 1)
    assert.match(none.stderr, 'SC3160')
  }))

test('D13 a database without a strategy is migrated before the rollout, and what comes after it waits for it', async () => {
  const all = await tasks()
  assert.equal(idsOf(all, 'migrate_pre'), ['migrate_pre:main'])
  const waits = all.filter(({ kind }) => kind === 'rollout')
  assert.ok(
    waits.every((task) => task.after.includes('migrate_pre:main' as Task['id'])),
    JSON.stringify(waits.map(({ after }) => after)),
  )
  // After the rollout: as soon as there are such tasks, they wait for health; until then the word is refused.
  const later = parseConfig(manifest.replace('strategy: manual', 'strategy: post_deploy'), '/project/stagecraft.yml')
  if (!later.ok)
    return assert.match(later.diagnostics.map(({ message }) => message).join(), 'post_deploy` is not supported by this version')
  const post = (await tasks(manifest.replace('strategy: manual', 'strategy: post_deploy'))).filter(({ id }) =>
    String(id).startsWith('migrate_post'),
  )
  assert.ok(post.length > 0 && post.every(({ needs, after }) => needs.length + after.length > 0))
})

test('D30 keys of the Compose file that are not known stay, services go to the hosts of their roles, variables of the environment win', async () => {
  const { file } = await rendered({
    compose: { 'x-team': { name: 'shop' }, services: { web: { image: 'nginx:${TAG:-1}', 'x-note': 'kept' } } },
    params: { plain: { TAG: '2' } },
  })
  assert.is(file.services['web']?.['x-note'], 'kept')
  assert.is(file.services['web']?.['image'], 'nginx:2')
  const { services, compose: kept } = accepted(await resolved(manifest, `x-team: {name: shop}\n${compose}`))
  assert.equal(kept.topLevel, { 'x-team': { name: 'shop' } })
  assert.equal(
    services.map(({ name, hosts }) => `${name} ${hosts.join()}`),
    ['api h1', 'db h2', 'web h1'],
  )
})

test('D35 every task that is made is one that its own kind takes', async () => {
  const all = await tasks()
  assert.ok(all.length >= 10)
  for (const { id, kind, params } of all) {
    const parsed = kinds.get(kind)?.params.safeParse(params)
    assert.ok(parsed?.success, `${id}: ${parsed?.error?.message}`)
    assert.equal(JSON.parse(JSON.stringify(params)), params, String(id))
  }
})

test.run()
