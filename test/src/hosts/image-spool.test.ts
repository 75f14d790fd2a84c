import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gunzipSync, gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { imageArchive } from '../../../src/hosts/image-archive.ts'
import { createImageSpool } from '../../../src/hosts/image-spool.ts'
import { tarEntries } from '../../../src/hosts/tar-entries.ts'
import { readTarHeader, tarPadding, writeTarHeader } from '../../../src/hosts/tar-header.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import type { ImageShelf, SpoolRequest } from '../../../tasks/ports.ts'
import { rejects } from '../../support/assertions.ts'

const test = suite('src/hosts/image-spool')

const root = mkdtempSync(join(tmpdir(), 'spool-'))
test.after(() => rmSync(root, { recursive: true, force: true }))
const temporaryDirectory = () => mkdtempSync(join(root, 'one-'))

const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
const signal = new AbortController().signal
const small = Buffer.from('a small layer')
const large = Buffer.from('0123456789'.repeat(50_000))
const diffIds = [digestOf(large), digestOf(small)]
const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: diffIds } }))

type Files = Readonly<Record<string, Buffer>>

function tar(files: Files): Buffer {
  const parts = Object.entries(files).flatMap(([name, bytes]) => [
    writeTarHeader(name, bytes.length),
    bytes,
    Buffer.alloc(tarPadding(bytes.length)),
  ])
  return Buffer.concat([...parts, Buffer.alloc(1024)])
}

/** As engines of different ages and stores save the same image. */
const saved: Readonly<Record<string, Files>> = {
  'before 25': {
    'v1/layer.tar': small,
    'v1/json': Buffer.from('{}'),
    'v2/layer.tar': large,
    'c.json': config,
    'manifest.json': Buffer.from('[]'),
  },
  'from 25': Object.fromEntries([large, config, small].map((bytes) => [`blobs/sha256/${digestOf(bytes).slice(7)}`, bytes])),
  'containerd, packed': Object.fromEntries(
    [gzipSync(large), config, gzipSync(small)].map((bytes) => [`blobs/sha256/${digestOf(bytes).slice(7)}`, bytes]),
  ),
}

class Shelf implements ImageShelf {
  saves = 0
  readonly #archive: Buffer
  constructor(archive: Buffer) {
    this.#archive = archive
  }
  async layers() {
    return diffIds
  }
  async save() {
    this.saves += 1
    const bytes = this.#archive
    // In pieces that respect no boundary.
    return Readable.from(
      (function* () {
        for (let start = 0; start < bytes.length; start += 1000) yield bytes.subarray(start, start + 1000)
      })(),
    )
  }
}

const request = (from: ImageShelf, wanted: readonly string[] = diffIds): SpoolRequest => ({
  from,
  reference: 'web:1',
  digest: digestOf(config),
  layers: diffIds,
  wanted,
})

for (const [engine, files] of Object.entries(saved)) {
  test(`what is wanted of an image is found by digests alone (${engine})`, async () => {
    const folder = temporaryDirectory()
    const spool = createImageSpool(folder)
    const image = await spool.take(request(new Shelf(tar(files)), [digestOf(small)]), signal)
    assert.equal(Buffer.from(image.config), config)
    assert.equal([...image.packed.keys()], [digestOf(small)])
    const packed = image.packed.get(digestOf(small))
    assert.is(packed?.bytes, small.length)
    assert.equal(gunzipSync(await bytesOf(packed?.open() ?? [])), small)
    await spool.close()
    assert.equal(readdirSync(folder), [])
  })
}

test('an image is read once for all hosts, and again for a layer that nobody wanted before', async () => {
  const spool = createImageSpool(temporaryDirectory())
  const shelf = new Shelf(tar(saved['before 25'] ?? {}))
  await Promise.all([1, 2, 3].map(() => spool.take(request(shelf, [digestOf(small)]), signal)))
  assert.is(shelf.saves, 1)
  const image = await spool.take(request(shelf), signal)
  assert.is(shelf.saves, 2)
  assert.equal(
    [...image.sizes].sort(),
    [
      [digestOf(large), large.length],
      [digestOf(small), small.length],
    ].sort(),
  )
  await spool.close()
})

test('an archive without a layer, one that breaks off, and one that is none', async () => {
  const { 'v2/layer.tar': _, ...without } = saved['before 25'] ?? {}
  const whole = tar(saved['before 25'] ?? {})
  const cases: readonly (readonly [Buffer, RegExp])[] = [
    [tar(without), /does not contain a layer of it/],
    [whole.subarray(0, 300_000), /the archive breaks off/],
    [Buffer.alloc(2048, 'x'), /not a tar archive/],
  ]
  const spool = createImageSpool(temporaryDirectory())
  for (const [bytes, message] of cases) {
    const error = await rejects(spool.take(request(new Shelf(bytes)), signal), message)
    assert.is(error instanceof TaskFailure && error.failure.reason, 'missing-output')
  }
  assert.ok(await spool.take(request(new Shelf(whole)), signal))
  await spool.close()
})

test('what a killed run left goes, and what a running one needs stays', async () => {
  const folder = temporaryDirectory()
  mkdirSync(join(folder, '999999999-dead'))
  mkdirSync(join(folder, `${process.ppid}-alive`))
  writeFileSync(join(folder, '999999999-dead/layer'), 'x')
  const spool = createImageSpool(folder)
  await spool.take(request(new Shelf(tar(saved['from 25'] ?? {}))), signal)
  assert.equal([existsSync(join(folder, '999999999-dead')), existsSync(join(folder, `${process.ppid}-alive`))], [false, true])
  await spool.close()
})

test('an archive of a part is as long as it says, is read by tar, and leaves out what is not sent', async () => {
  const packed = gzipSync(small)
  const layer = { diffId: digestOf(small), bytes: small.length, packedBytes: packed.length, open: () => Readable.from([packed]) }
  const layers = [
    { diffId: digestOf(large), bytes: large.length },
    { diffId: digestOf(small), bytes: small.length },
  ]
  const names = ['shop-web:sha256-1', 'ghcr.io/acme/web:sc-1']
  const archive = imageArchive({ config, layers, sent: [layer], names })
  const bytes = await bytesOf(archive.read())
  assert.is(bytes.length, archive.bytes)
  const file = join(temporaryDirectory(), 'image.tar.gz')
  writeFileSync(file, bytes)
  const listed = execFileSync('tar', ['-tzf', file], { encoding: 'utf8' }).trim().split('\n')
  const blob = (digest: string) => `blobs/${digest.replace(':', '/')}`
  assert.ok(listed.includes(blob(digestOf(small))) && listed.includes(blob(digestOf(config))))
  assert.not(listed.includes(blob(digestOf(large))))

  const entries = new Map<string, Buffer>()
  for await (const { name, body } of tarEntries(Readable.from([gunzipSync(bytes)]))) entries.set(name, await bytesOf(body))
  const [docker] = JSON.parse(String(entries.get('manifest.json'))) as [{ Config: string; RepoTags: string[]; Layers: string[] }]
  assert.equal(docker, { Config: blob(digestOf(config)), RepoTags: names, Layers: diffIds.map(blob) })
  const index = JSON.parse(String(entries.get('index.json'))) as { manifests: { digest: string; annotations: Record<string, string> }[] }
  assert.equal(
    index.manifests.map(({ annotations }) => annotations['io.containerd.image.name']),
    ['docker.io/library/shop-web:sha256-1', 'ghcr.io/acme/web:sc-1'],
  )
  const manifest = entries.get(blob(index.manifests[0]?.digest ?? ''))
  assert.is(manifest && digestOf(manifest), index.manifests[0]?.digest)
})

test('sizes beyond what octal digits hold', () => {
  for (const bytes of [0, 511, 8 * 1024 ** 3 - 1, 8 * 1024 ** 3, 3 * 1024 ** 4])
    assert.equal(readTarHeader(writeTarHeader('layer', bytes)), { name: 'layer', bytes, type: '0' })
})

async function bytesOf(chunks: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts)
}

test.run()
