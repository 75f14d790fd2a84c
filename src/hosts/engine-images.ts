/** Images in a host's Engine (https://docs.docker.com/reference/api/engine/, `ImageLoad`, `ImageGet`), for those that come without a registry. */
import { type IncomingMessage, request } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { TaskFailure } from '../../tasks/kind.ts'
import type { HostImages, ImagePart, NamedImage } from '../../tasks/ports.ts'
import { isCalledByManifest } from '../../tasks/transferring/names.ts'
import { loadFailure } from './engine-failure.ts'
import { askEngine } from './engine-request.ts'
import { heldImages, removeImage } from './engine-stock.ts'
import { imageArchive } from './image-archive.ts'
import type { SshConnection } from './ssh-connection.ts'
import { type EngineAgent, engineHost, engineSocket } from './ssh-engine-agent.ts'

const minutes = 60_000
const timeouts = { load: 60 * minutes, loadSilence: 5 * minutes, save: 5 * minutes }
/** Looks at images that are under way at once. */
const looksAtOnce = 8

interface ImageRow {
  readonly Id: string
  readonly RepoTags?: readonly string[] | null
  readonly RepoDigests?: readonly string[] | null
}

export function createHostImages(connection: SshConnection, agent: EngineAgent): HostImages {
  const looks = new Map<string, Promise<readonly NamedImage[]>>()

  async function look(repository: string): Promise<readonly NamedImage[]> {
    const filters = encodeURIComponent(JSON.stringify({ reference: [repository] }))
    const path = `/images/json?filters=${filters}`
    const { json } = await askEngine(connection, agent, { what: `look for images of ${repository}`, method: 'GET', path })
    const rows = json as readonly ImageRow[]
    return rows.map(({ Id, RepoTags, RepoDigests }) => ({ id: Id, tags: RepoTags ?? [], digests: RepoDigests ?? [] }))
  }

  async function layersOf(reference: string): Promise<readonly string[] | undefined> {
    const path = `/images/${inPath(reference)}/json`
    const { status, json } = await askEngine(connection, agent, { what: `look at ${reference}`, method: 'GET', path, expected: [404] })
    if (status === 404) return undefined
    return (json as { readonly RootFS?: { readonly Layers?: readonly string[] } }).RootFS?.Layers ?? []
  }

  return {
    named(repository) {
      const known = looks.get(repository)
      if (known !== undefined) return known
      const made = look(repository)
      looks.set(repository, made)
      // A look that failed is not remembered.
      made.catch(() => looks.delete(repository))
      return made
    },

    async stacks(repository) {
      const images = await heldImages(connection, agent)
      // containerd's store keeps layers as they came: under these digests it has only those that we sent.
      const usable = images.filter((image) => !isCalledByManifest(image) || image.tags.some((tag) => tag.startsWith(`${repository}:`)))
      const stacks: (readonly string[])[] = []
      for (let start = 0; start < usable.length; start += looksAtOnce) {
        const some = await Promise.all(usable.slice(start, start + looksAtOnce).map(({ id }) => layersOf(id)))
        stacks.push(...some.filter((layers) => layers !== undefined))
      }
      return stacks
    },

    layers: layersOf,

    async load(part, signal) {
      looks.clear()
      const what = `to load ${part.names[0]}`
      await connection.perform(what, timeouts.load, (lost) => load(connection, agent, part, AbortSignal.any([signal, lost])))
      looks.clear()
    },

    async tag(reference, name) {
      looks.clear()
      const colon = name.lastIndexOf(':')
      const query = new URLSearchParams({ repo: name.slice(0, colon), tag: name.slice(colon + 1) })
      const path = `/images/${inPath(reference)}/tag?${query}`
      await askEngine(connection, agent, { what: `name ${reference} ${name}`, method: 'POST', path })
      looks.clear()
    },

    async untag(name) {
      looks.clear()
      return removeImage(connection, agent, name)
    },

    save: (reference, signal) =>
      connection.perform(`to read ${reference}`, timeouts.save, (lost) =>
        save(connection, agent, reference, AbortSignal.any([signal, lost])),
      ),
  }
}

/** Sends the archive; its end is the Engine's word, which may come before the last byte was taken. */
async function load(connection: SshConnection, agent: EngineAgent, part: ImagePart, signal: AbortSignal): Promise<void> {
  const archive = imageArchive(part)
  const silence = new AbortController()
  const timer = setTimeout(() => silence.abort(), timeouts.loadSilence)
  const stop = AbortSignal.any([signal, silence.signal])
  const watched = async function* () {
    for await (const chunk of archive.read()) {
      timer.refresh()
      yield chunk
    }
  }
  let problem: string | undefined
  try {
    const headers = { 'Content-Type': 'application/x-tar', 'Content-Length': String(archive.bytes) }
    const outgoing = request({ agent, socketPath: engineSocket, method: 'POST', path: '/images/load?quiet=1', headers, signal: stop })
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.on('response', resolve)
      outgoing.on('error', reject)
    })
    // The Engine's answer says more than that it stopped listening.
    const sent = pipeline(Readable.from(watched()), outgoing).catch((error: unknown) =>
      signal.aborted ? Promise.reject(error) : undefined,
    )
    const [answer] = await Promise.all([answered, sent])
    problem = problemIn(answer.statusCode ?? 0, await textOf(answer))
  } catch (error) {
    if (error instanceof TaskFailure || signal.aborted) throw error
    problem = silence.signal.aborted ? `nothing has moved for ${timeouts.loadSilence / minutes} minutes` : (error as Error).message
  } finally {
    clearTimeout(timer)
  }
  if (problem !== undefined) throw new TaskFailure(loadFailure(await engineHost(connection), part.names[0] ?? 'an image', problem))
}

/** The Engine begins to answer before it has read an archive: what goes wrong then is a line of the answer. */
function problemIn(status: number, body: string): string | undefined {
  for (const line of body.split('\n').filter((text) => text.trim() !== '')) {
    try {
      const { errorDetail, error, message } = JSON.parse(line) as {
        readonly errorDetail?: { readonly message?: string }
        readonly error?: string
        readonly message?: string
      }
      const said = errorDetail?.message ?? error ?? (status >= 400 ? message : undefined)
      if (said !== undefined) return said
    } catch {
      // Something in between speaks another language: show what it said.
      return line
    }
  }
  return status >= 400 ? `the Engine answered ${status}` : undefined
}

async function save(connection: SshConnection, agent: EngineAgent, reference: string, signal: AbortSignal): Promise<Readable> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request({ agent, socketPath: engineSocket, path: `/images/${inPath(reference)}/get` }, resolve)
    outgoing.on('error', reject)
    signal.addEventListener('abort', () => outgoing.destroy(signal.reason as Error), { once: true })
    outgoing.end()
  })
  if (answer.statusCode === 200) return answer
  const said = problemIn(answer.statusCode ?? 0, await textOf(answer)) ?? 'it gave no image'
  const { where, name } = await engineHost(connection)
  throw new TaskFailure({ reason: 'refused', subject: name, message: `cannot read ${reference} on ${where}: ${said}` })
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function inPath(reference: string): string {
  return reference.split('/').map(encodeURIComponent).join('/')
}
