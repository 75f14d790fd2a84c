/** The same story over every kind of shared cache, by the program as people run it: CI writes, a laptop reads and runs nothing. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { labObstacle, openLab } from '../lab/lab.ts'
import { checkout, type Ended } from '../support/checkouts.ts'
import { inDirectory } from '../support/directory.ts'
import { nginxObstacle, startNginx } from '../support/nginx.ts'
import { s3rverKeys, s3rverObstacle, startS3rver } from '../support/s3rver.ts'

interface Backend {
  readonly name: string
  /** Why it cannot be had on this machine. */
  readonly obstacle: string | undefined
  /** Calls `work` while it runs. `cache` is the manifest's word, `env` who we are to it. */
  using(parent: string, work: (backend: Running) => Promise<void>): Promise<void>
}

interface Running {
  readonly registry?: string
  readonly cache: string
  readonly env: Readonly<Record<string, string>>
  /** Must be seen nowhere. */
  readonly secrets: readonly string[]
}

const backends: readonly Backend[] = [
  {
    name: 'http',
    obstacle: nginxObstacle,
    async using(parent, work) {
      const tokens = { read: 'may-read-token', write: 'may-write-token' }
      const nginx = await startNginx(join(parent, 'nginx'), { tls: true, tokens })
      try {
        const env = { NODE_EXTRA_CA_CERTS: nginx.caFile, STAGECRAFT_REMOTE_CACHE_TOKEN: tokens.write }
        await work({ cache: `${nginx.url}/shop`, env, secrets: [tokens.write] })
      } finally {
        await nginx.stop()
      }
    },
  },
  {
    name: 'oci',
    obstacle: await labObstacle(),
    async using(_parent, work) {
      const { address, dockerConfigDir } = (await openLab({ hosts: 1 })).registry
      const { auths } = JSON.parse(readFileSync(join(dockerConfigDir, 'config.json'), 'utf8')) as {
        auths: Record<string, { auth: string }>
      }
      const login = auths[address]?.auth ?? ''
      assert.ok(login, 'the lab has a login')
      // Unique to this run: the registry keeps what earlier runs have pushed.
      const registry = `${address}/e2e-${randomBytes(6).toString('hex')}`
      await work({
        registry,
        cache: 'oci',
        env: { DOCKER_CONFIG: dockerConfigDir },
        secrets: [login, Buffer.from(login, 'base64').toString().split(':')[1] ?? ''],
      })
    },
  },
  {
    name: 's3',
    obstacle: s3rverObstacle(),
    async using(parent, work) {
      const server = await startS3rver(join(parent, 's3'), 'shop-cache')
      try {
        const env = { AWS_ACCESS_KEY_ID: s3rverKeys.accessKeyId, AWS_SECRET_ACCESS_KEY: s3rverKeys.secretAccessKey }
        await work({ cache: `s3://shop-cache/a/b?endpoint=${server.endpoint}`, env, secrets: [] })
      } finally {
        await server.close()
      }
    },
  },
]

const key = { STAGECRAFT_REMOTE_CACHE_KEY: 'k'.repeat(32) }
const manifest = ({ registry, cache }: Running) => `project: {name: shop${registry === undefined ? '' : `, registry: "${registry}"`}}
cache: {remote: "${cache}"}
tasks:
  make:
    command: |
      echo make >> ran
      mkdir -p out/empty out/deep
      cp schema out/deep/model; chmod 755 out/deep/model
      ln -s deep/model out/link; touch out/nothing
      head -c 3000000 /dev/zero > out/large
    inputs: [schema]
    outputs: ["out/**"]
  pack: {command: "echo pack >> ran; cat out/deep/model > packed", inputs: ["out/**"], outputs: [packed], needs: [make]}
`

function done(ended: Ended): Ended {
  assert.is(ended.code, 0, `${ended.stdout}\n${ended.stderr}`)
  return ended
}

const test = suite('e2e/shared-cache-backends')
for (const { name, obstacle, using } of backends) {
  if (obstacle !== undefined) process.stdout.write(`skipped e2e/shared-cache-backends over ${name}: ${obstacle}\n`)
  const story = (title: string, work: (parent: string, running: Running) => Promise<void>): void => {
    if (obstacle !== undefined) test.skip(`${name}: ${title}`)
    else test(`${name}: ${title}`, () => inDirectory((parent) => using(parent, (running) => work(parent, running))))
  }

  story('CI writes; a laptop has the same files, runs nothing, and writes nothing', async (parent, running) => {
    const files = { 'stagecraft.yml': manifest(running), schema: 'type A\n' }
    const ci = checkout(parent, 'ci', files)
    const wrote = done(await ci.run(['run', 'pack'], { ...running.env, ...key, CI: 'true' }))
    assert.equal(ci.ran(), ['make', 'pack'])
    assert.not.match(wrote.stderr, 'warning')

    const laptop = checkout(parent, 'laptop', files)
    const read = done(await laptop.run(['run', 'pack'], { ...running.env, ...key }))
    assert.equal(laptop.ran(), [], read.stderr)
    const tree = laptop.tree('out')
    assert.equal(tree, ci.tree('out'))
    assert.is(tree['link'], 'link to deep/model')
    assert.is(tree['empty'], 'folder')
    assert.match(tree['deep/model'] ?? '', /^755 /)
    const status = done(await laptop.run(['cache', 'status'], { ...running.env, ...key })).stdout
    assert.match(status, /shared {5}\S+ \(reads, signed\)\n/)

    // What a laptop makes is nobody else's.
    laptop.write('schema', 'type B\n')
    done(await laptop.run(['run', 'pack'], { ...running.env, ...key }))
    const third = checkout(parent, 'third', { ...files, schema: 'type B\n' })
    done(await third.run(['run', 'pack'], { ...running.env, ...key }))
    assert.equal(third.ran(), ['make', 'pack'])
    for (const secret of running.secrets)
      for (const text of [wrote.stdout, wrote.stderr, read.stdout, read.stderr, status]) assert.not.match(text, secret)
  })

  story('who has another key, or asks for a signature where there is none, runs everything', async (parent, running) => {
    const files = { 'stagecraft.yml': manifest(running), schema: `${randomBytes(8).toString('hex')}\n` }
    done(await checkout(parent, 'ci', files).run(['run', 'pack'], { ...running.env, CI: 'true' }))
    const strict = checkout(parent, 'strict', files)
    const { stderr } = done(await strict.run(['run', 'pack'], { ...running.env, ...key }))
    assert.equal(strict.ran(), ['make', 'pack'])
    assert.match(stderr, /warning: entries of the remote cache .* are not believed: the first such is not signed/)
  })
}

test.run()
