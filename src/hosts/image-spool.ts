/**
 * Layers on their way from an engine to hosts. An engine gives an image only whole and in its own order, and calls its parts what it likes;
 * what they are is told by their digests alone. What is wanted is packed once and lies on this machine's disk until the run has ended.
 */
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { TaskFailure } from '../../tasks/kind.ts'
import type { ImageSpool, PackedLayer, SpooledImage, SpoolRequest } from '../../tasks/ports.ts'
import { type TarEntry, tarEntries } from './tar-entries.ts'

export interface OpenSpool extends ImageSpool {
  close(): Promise<void>
}

/** A digest in a name that is one: `blobs/sha256/…`. */
const named = /^blobs\/sha256\/([0-9a-f]{64})$/

/** @param folder absolute; each run has one of its own in it, and those of runs that were killed are removed. */
export function createImageSpool(folder: string): OpenSpool {
  const own = join(folder, `${process.pid}-${randomBytes(4).toString('hex')}`)
  const configs = new Map<string, Uint8Array>()
  const sizes = new Map<string, number>()
  const packed = new Map<string, PackedLayer>()
  const turns = new Map<string, Promise<unknown>>()
  let opened: Promise<void> | undefined

  async function fill(request: SpoolRequest, signal: AbortSignal): Promise<SpooledImage> {
    const { digest, layers, wanted, reference } = request
    const lacks = () => wanted.some((diffId) => !packed.has(diffId)) || layers.some((diffId) => !sizes.has(diffId))
    if (!configs.has(digest) || lacks()) {
      opened ??= open(folder, own)
      await opened
      await read(request, signal)
    }
    const config = configs.get(digest)
    if (config === undefined || lacks()) throw incomplete(reference, config === undefined ? 'its configuration' : 'a layer of it')
    return { config, sizes, packed }
  }

  async function read({ from, reference, digest, layers, wanted }: SpoolRequest, signal: AbortSignal): Promise<void> {
    const packing: Promise<void>[] = []
    const lacking = new Set(wanted.filter((diffId) => !packed.has(diffId)))
    const source = await from.save(reference, signal)
    try {
      for await (const entry of tarEntries(source)) {
        const known = `sha256:${named.exec(entry.name)?.[1]}`
        if (layers.includes(known) && !lacking.has(known)) {
          sizes.set(known, entry.bytes)
          continue
        }
        const file = join(own, randomBytes(8).toString('hex'))
        const found = await unpack(entry, file, signal)
        if (layers.includes(found.digest)) sizes.set(found.digest, found.bytes)
        if (found.digest === digest) configs.set(digest, await readFile(file))
        if (lacking.delete(found.digest)) packing.push(pack(file, found, signal).then((layer) => void packed.set(layer.diffId, layer)))
        else await rm(file)
      }
    } catch (error) {
      if (error instanceof TaskFailure || signal.aborted) throw error
      const message = `${reference} could not be read: ${(error as Error).message}`
      throw new TaskFailure({ reason: 'missing-output', subject: reference, message }, { cause: error })
    } finally {
      source.destroy()
      await Promise.allSettled(packing)
    }
    await Promise.all(packing)
  }

  return {
    take(request, signal) {
      const turn = (turns.get(request.digest) ?? Promise.resolve()).then(() => fill(request, signal))
      // Whoever comes next tries again what this one could not do.
      turns.set(
        request.digest,
        turn.catch(() => undefined),
      )
      return turn
    },
    async close() {
      if (opened !== undefined) await rm(own, { recursive: true, force: true })
    },
  }
}

/** What is left of runs that are gone goes. */
async function open(folder: string, own: string): Promise<void> {
  await mkdir(own, { recursive: true, mode: 0o700 })
  for (const name of await readdir(folder)) {
    if (!isAlive(Number(name.split('-')[0]))) await rm(join(folder, name), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

interface Unpacked {
  readonly digest: string
  readonly bytes: number
}

/** Engines with containerd's store give layers as they got them, packed. */
async function unpack({ body }: TarEntry, file: string, signal: AbortSignal): Promise<Unpacked> {
  const hash = createHash('sha256')
  let bytes = 0
  const counted = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      hash.update(chunk)
      bytes += chunk.length
      yield chunk
    }
  }
  const chunks = body[Symbol.asyncIterator]()
  const first = await chunks.next()
  const start: Buffer = first.done ? Buffer.alloc(0) : first.value
  const whole = Readable.from(
    (async function* () {
      yield start
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value
    })(),
    { objectMode: false },
  )
  const isPacked = start[0] === 0x1f && start[1] === 0x8b
  const target = createWriteStream(file, { mode: 0o600 })
  if (isPacked) await pipeline(whole, createGunzip(), counted, target, { signal })
  else await pipeline(whole, counted, target, { signal })
  return { digest: `sha256:${hash.digest('hex')}`, bytes }
}

async function pack(file: string, { digest, bytes }: Unpacked, signal: AbortSignal): Promise<PackedLayer> {
  const target = `${file}.gz`
  await pipeline(createReadStream(file), createGzip(), createWriteStream(target, { mode: 0o600 }), { signal })
  await rm(file)
  const { size: packedBytes } = await stat(target)
  return { diffId: digest, bytes, packedBytes, open: () => createReadStream(target) }
}

function incomplete(reference: string, what: string): TaskFailure {
  return new TaskFailure({
    reason: 'missing-output',
    subject: reference,
    message: `${reference}, as the engine saved it, does not contain ${what}`,
    remedy: 'build it again, with layers that are not packed or packed with gzip',
  })
}
