/** What a fleet must never do with what it is given: show a secret, run a text, or leave a file open to others. On a real host, as a user who is not root. */
import { execFileSync } from 'node:child_process'
import { type Dirent, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { EdgeShop } from '../support/edge-shop.ts'
import { labSuite } from '../support/lab-suite.ts'
import { query } from '../support/postgres.ts'
import { sampleArguments } from '../support/process-arguments.ts'

const suite = await labSuite('e2e/security')
const { test } = suite
let shop: EdgeShop
let home: string
let sampler: ReturnType<typeof sampleArguments> | undefined

test.before.each(() => {
  const route = '{ domains: DOMAIN, tls: none, basic_auth: USERS, drain_seconds: 1 }'
  shop = new EdgeShop(suite.lab(), { route, environment: '    env_file: .env.prod\n' })
  home = mkdtempSync(join(tmpdir(), 'security-'))
})
test.after.each(() => {
  sampler?.stop()
  shop.remove()
  rmSync(home, { recursive: true, force: true })
})

const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => shop.run(args, { env: { HOME: home, ...env } })

/** Lines of the files below `folders`, here or on the host, that hold one of `texts`; they are given by standard input. */
function filesWith(texts: readonly string[], folders: readonly string[], where: readonly string[] = []): readonly string[] {
  const argv = [...where, 'sh', '-c', 'grep -rlaF -f - "$@" || test $? -eq 1', 'sh', ...folders]
  const [file = '', ...args] = argv
  return execFileSync(file, args, { input: texts.join('\n'), encoding: 'utf8' })
    .split('\n')
    .filter(Boolean)
}

test('planted secrets are nowhere but in the `.env` of the host, which nobody else can read', async () => {
  const { registry, postgres } = suite.lab()
  const plant = (name: string) => `${name}-${shop.password}`
  const hash = execFileSync('caddy', ['hash-password', '--plaintext', plant('edge')], { encoding: 'utf8' }).trim()
  const database = shop.name.replaceAll('-', '_')
  await query(postgres.superuserDsn, `create database ${database}`)
  const dsn = postgres.superuserDsn.replace(/\/postgres$/, `/${database}`)
  shop.writeEnvironment({ USERS: `'anna:${hash}'`, DATABASE_URL: dsn, API_TOKEN: plant('file'), NPM_TOKEN: plant('build') })
  shop.edit('docker-compose.yml', (text) =>
    text.replace('NODE_IMAGE}" } }', 'NODE_IMAGE}" }, secrets: [npm] }').concat('\nsecrets: { npm: { environment: NPM_TOKEN } }\n'),
  )
  shop.edit('Dockerfile', (text) => text.replace('CMD', 'RUN --mount=type=secret,id=npm test -s /run/secrets/npm\nCMD'))
  shop.edit(
    'stagecraft.yml',
    (text) => `${text}databases: { main: { connection_env: DATABASE_URL, migrations: { engine: raw, path: migrations } } }
hooks:
  before_rollout: { command: [sh, -c, 'test -n "$HOOK_HERE"; echo "here $HOOK_HERE"'], secrets: [HOOK_HERE] }
  after_rollout: { command: [sh, -c, 'test -n "$HOOK_THERE"; sleep 0.5'], on: web, env: [HOOK_THERE] }
`,
  )
  shop.commit('with secrets')
  const hooks = { HOOK_HERE: plant('here'), HOOK_THERE: plant('there') }
  const secrets = [
    ...[shop.password, hash, dsn, new URL(dsn).password],
    ...[registry.password, Buffer.from(`${registry.username}:${registry.password}`).toString('base64')],
  ]
  const report = join(home, 'events')
  // Processes of the host are processes of this machine: what it shows of them, anybody on the host could see.
  sampler = sampleArguments()
  const deployed = await run(['deploy', '--env', 'prod', '--verbose', '--trace', `${report}.trace`, '--summary', `${report}.json`], hooks)
  assert.is(deployed.code, 0, deployed.stderr + deployed.stdout)
  assert.match(deployed.stdout + deployed.stderr, 'here ***')
  shop.version('v2')
  const said: Record<string, string> = { deploy: deployed.stdout + deployed.stderr }
  for (const line of [
    ...['plan --verbose', 'plan --format json', 'graph --format json', 'explain rollout:web@node-1 --format json', 'deploy --format json'],
    ...[
      'status',
      'status --format json',
      'logs',
      'releases list --format json',
      'releases audit --format json',
      'doctor',
      'doctor --format json',
    ],
    ...['maintenance on', 'maintenance off', 'restart web --yes', 'prune --dry-run', 'rollback --to-previous --yes --verbose'],
  ]) {
    const { code, stdout, stderr } = await run([...line.split(' '), ...(line.startsWith('releases list') ? [] : ['--env', 'prod'])], hooks)
    assert.ok(code === 0 || line.startsWith('doctor'), `${line}: ${code} ${stderr}${stdout}`)
    said[line] = stdout + stderr
  }
  said['arguments of processes'] = sampler?.stop() ?? ''
  const ids = shop.containers().map(({ id }) => id)
  said['labels'] = shop.onHost('docker', 'inspect', '--format', '{{json .Config.Labels}} {{json .Args}} {{.Path}}', ...ids)
  said['image'] = shop.onHost(
    'docker',
    'history',
    '--no-trunc',
    shop.onHost('docker', 'inspect', '--format', '{{.Image}}', ids[0] ?? '').trim(),
  )
  for (const [place, text] of Object.entries(said))
    for (const secret of secrets) assert.not.ok(text.includes(secret), `${place} holds a secret:\n${linesWith(text, secret)}`)
  assert.equal(filesWith(secrets, [shop.path('.stagecraft'), shop.path('.git'), home]), [], 'files here')

  const where = ['docker', 'exec', '-i', shop.host.container]
  const holding = filesWith(secrets, ['/opt/stagecraft', '/tmp', '/home', '/root', '/var/log'], where).filter(
    (path) => path.startsWith(`/opt/stagecraft/${shop.name}/`) || !path.startsWith('/opt/'),
  )
  assert.ok(holding.length > 0)
  assert.equal(
    holding.filter((path) => !/\/bundles\/[^/]+\/\.env$/.test(path)),
    [],
    'files on the host',
  )
  // The proxy has the hash, as a password file would.
  assert.equal(
    filesWith(
      secrets.filter((secret) => secret !== hash),
      ['/opt/stagecraft/edge'],
      where,
    ),
    [],
  )
  const open = (test: string) =>
    shop.onHost(
      'sh',
      '-c',
      `find /opt/stagecraft/${shop.name} /opt/stagecraft/edge -path /opt/stagecraft/edge/data -prune -o \\( ${test} \\) -printf '%m %u %p\\n'`,
    )
  assert.is(open('-name .env ! -perm 600'), '')
  assert.is(open(`\\( -name caddy.json -o -name '${shop.name}.*.json' \\) ! -perm 600`), '')
  assert.is(open('-type f -perm /o=w'), '', 'nothing that others may write')
  assert.is(open(`-path '*/${shop.name}/*' ! -user deploy`), '', 'all of it is made by the user who deploys')
  assert.not.match(shop.onHost('id', 'deploy'), /uid=0|sudo/)
})

function linesWith(text: string, secret: string): string {
  return text
    .split('\n')
    .filter((line) => line.includes(secret))
    .slice(0, 3)
    .join('\n')
}

test('what looks like a command in a text of the manifest, the Compose file or the checkout is not run, here or on the host', async () => {
  const mark = `stagecraft-mark-${shop.password.slice(3, 9)}`
  // With and without a folder: some texts are names of files.
  const evil = (place: string, at = '/tmp/') =>
    `a $(touch ${at}${mark}-${place}) \`touch ${at}${mark}-${place}\`; touch ${at}${mark}-${place} | touch ${at}${mark}-${place} & '"`
  const lines = (place: string) => `${evil(place)}\ntouch /tmp/${mark}-${place}\n`
  const inCompose = (text: string) => JSON.stringify(text.replaceAll('$', '$$$$'))
  const folder = evil('migrations', '').replaceAll(/["']/g, '').trim()
  const hash = execFileSync('caddy', ['hash-password', '--plaintext', evil('auth')], { encoding: 'utf8' }).trim()
  const name = evil('file', '').replaceAll(/["']/g, '').trim()
  const database = shop.name.replaceAll('-', '_')
  await query(suite.lab().postgres.superuserDsn, `create database ${database}`)
  shop.writeEnvironment({
    USERS: `'anna:${hash}'`,
    DATABASE_URL: suite.lab().postgres.superuserDsn.replace(/\/postgres$/, `/${database}`),
    FROM_FILE: `'${evil('env').replaceAll("'", '')}'`,
  })
  renameSync(shop.path('.env.prod'), shop.path(`.env ${name}`))
  mkdirSync(shop.path(folder))
  shop.write(join(folder, '1_one.sql'), 'CREATE TABLE one (id int);\n')
  renameSync(shop.path('Dockerfile'), shop.path(`Dockerfile ${name}`))
  shop.edit('.gitignore', (text) => `${text}\n.env*\n`)
  shop.edit('docker-compose.yml', (text) =>
    text
      .replace('context: .,', `context: ., dockerfile: ${inCompose(`Dockerfile ${name}`)},`)
      .replace('NODE_IMAGE}" } }', `NODE_IMAGE}", EVIL: ${inCompose(evil('argument'))} }, labels: { evil: ${inCompose(lines('image'))} } }`)
      .concat(
        `    environment: { FROM_COMPOSE: ${inCompose(lines('compose'))}, FROM_VARIABLE: "\${VARIABLE}" }
    labels: { evil: ${inCompose(lines('label'))} }
    hostname: web
    command: [node, /app.mjs, ${inCompose(lines('command'))}]
    volumes: [${inCompose(`/tmp:/tmp/${name.replaceAll(/[:/]/g, '')}`)}]
`,
      ),
  )
  shop.edit(
    'stagecraft.yml',
    (text) =>
      `${text
        .replace(
          'env_file: .env.prod',
          `env_file: ${JSON.stringify(`.env ${name}`)}\n    known_hosts: [${JSON.stringify(`known ${name}`)}]`,
        )
        .replace(
          'variables: {',
          `variables: { VARIABLE: ${JSON.stringify(lines('variable'))},`,
        )}databases: { main: { connection_env: DATABASE_URL, migrations: { engine: raw, path: ${JSON.stringify(folder)} } } }
hooks:
  before_rollout: { command: [test, -n, ${JSON.stringify(lines('hook-here'))}] }
  after_rollout: { command: [test, -n, ${JSON.stringify(lines('hook-there'))}], on: web, env: [GIVEN] }
tasks:
  mine: { command: [test, -n, ${JSON.stringify(lines('task'))}], variables: { EVIL: ${JSON.stringify(lines('task-env'))} } }
`,
  )
  shop.write(`known ${name}`, '')
  shop.git('config', 'user.name', evil('author'))
  shop.commit(lines('message'))
  const env = { GIVEN: lines('given'), USER: evil('user'), LOGNAME: evil('user') }
  for (const args of [
    ...[['deploy'], ['run', 'mine'], ['status'], ['logs', '--grep', evil('grep')], ['maintenance', 'on'], ['maintenance', 'off']],
    ['exec', 'web', '--', 'test', '-n', evil('exec')],
  ]) {
    const words = args[0] === 'exec' ? ['exec', '--env', 'prod', ...args.slice(1)] : [...args, '--env', 'prod']
    const { code, stdout, stderr } = await run(words, env)
    assert.is(code, 0, `${args.join(' ')}: ${stderr}${stdout}`)
  }
  const variables = shop.onHost('docker', 'exec', shop.container('web').id, 'node', '-p', 'JSON.stringify(process.env)')
  const { FROM_COMPOSE, FROM_VARIABLE, FROM_FILE } = JSON.parse(variables) as Record<string, string>
  assert.equal(
    [FROM_COMPOSE, FROM_VARIABLE, FROM_FILE],
    [lines('compose'), lines('variable'), evil('env').replaceAll("'", '')],
    'it arrives as it is',
  )

  for (const [from, to] of [
    [/name: \S+,/, `name: ${JSON.stringify(evil('project'))},`],
    [/domains: [^,]+,/, `domains: ${JSON.stringify(evil('domain'))},`],
    [/address: "[^"]+"/, `address: ${JSON.stringify('-oProxyCommand=touch')}`],
    [/user: deploy/, `user: ${JSON.stringify(evil('host-user'))}`],
    [/registry: \S+/, `registry: ${JSON.stringify(evil('registry'))}`],
    [/known_hosts:/, `path: ${JSON.stringify(`/opt/${evil('path')}`)}\n    known_hosts:`],
  ] as const) {
    const before = shop.read('stagecraft.yml')
    shop.edit('stagecraft.yml', (text) => text.replace(from, to))
    const { code, stdout, stderr } = await run(['deploy', '--env', 'prod'], env)
    assert.is(code, 1, `${to}: ${stderr}${stdout}`)
    shop.write('stagecraft.yml', before)
  }
  const version = await run(['deploy', '--env', 'prod', '--version', evil('version')], env)
  assert.is(version.code, 1, version.stderr)

  assert.equal(markedBelow(['/tmp', shop.directory, home], mark), [])
  assert.is(shop.onHost('find', '/tmp', '/opt', '/home', '/root', '-name', `${mark}*`), '')
  const inContainer = shop.onHost('docker', 'exec', shop.container('web').id, 'find', '/', '-xdev', '-name', `${mark}*`)
  assert.is(inContainer, '')
})

/** Every path below the folders whose name begins with the mark. Other tests come and go in the same folders: what is gone when it is opened holds nothing. */
function markedBelow(folders: readonly string[], mark: string): readonly string[] {
  return folders.flatMap((folder) =>
    entriesOf(folder).flatMap((entry) => {
      const path = join(folder, entry.name)
      return [...(entry.name.startsWith(mark) ? [path] : []), ...(entry.isDirectory() ? markedBelow([path], mark) : [])]
    }),
  )
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

suite.run()
