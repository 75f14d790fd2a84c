/** An OCI registry in memory, as strict as the specification, whose answers a test can take over. */
import { createHash, randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { bodyOf, type HttpListener, type LoopbackServer, serveHttp } from './loopback.ts'

export interface FakeRegistry extends LoopbackServer {
  readonly blobs: Map<string, Buffer>
  readonly manifests: Map<string, Buffer>
  /** `GET /v2/shop/cache/manifests/ac-… Bearer …`, as they came. */
  readonly requests: string[]
  /** Asked before the registry itself; true when it has answered. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean
}

export async function fakeRegistry(repository: string): Promise<FakeRegistry> {
  const [blobs, manifests, requests] = [new Map<string, Buffer>(), new Map<string, Buffer>(), [] as string[]]
  const uploads = new Set<string>()
  const base = `/v2/${repository}/`
  const listener: HttpListener = async (request, response) => {
    requests.push([request.method, request.url, request.headers.authorization].filter(Boolean).join(' '))
    if (fake.intercept(request, response)) return
    const url = new URL(request.url ?? '', 'http://loopback')
    const send = (status: number, headers: Record<string, string> = {}, body?: Buffer | string) => {
      response.writeHead(status, headers).end(request.method === 'HEAD' ? undefined : body)
    }
    const refuse = (status: number, code: string) => send(status, {}, JSON.stringify({ errors: [{ code, message: 'no' }] }))
    if (!url.pathname.startsWith(base)) return refuse(404, 'NAME_UNKNOWN')
    const [kind = '', name = '', upload = ''] = url.pathname.slice(base.length).split('/')
    const route = `${request.method} ${kind}`
    if (route === 'POST blobs' && name === 'uploads') {
      const id = randomUUID()
      uploads.add(id)
      return send(202, { location: `${base}blobs/uploads/${id}?_state=a%2Bb%3D` })
    }
    if (route === 'PUT blobs' && name === 'uploads') {
      const body = await bodyOf(request)
      const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`
      if (!uploads.delete(upload) || !url.search.startsWith('?_state=a%2Bb%3D&')) return refuse(404, 'BLOB_UPLOAD_UNKNOWN')
      if (url.searchParams.get('digest') !== digest) return refuse(400, 'DIGEST_INVALID')
      blobs.set(digest, body)
      return send(201, { location: `${base}blobs/${digest}`, 'docker-content-digest': digest })
    }
    if (route === 'GET blobs' || route === 'HEAD blobs') {
      const blob = blobs.get(name)
      return blob ? send(200, { 'content-length': String(blob.length) }, blob) : refuse(404, 'BLOB_UNKNOWN')
    }
    if (route === 'GET manifests') {
      const manifest = manifests.get(name)
      return manifest ? send(200, {}, manifest) : refuse(404, 'MANIFEST_UNKNOWN')
    }
    if (route === 'PUT manifests') {
      const body = await bodyOf(request)
      const { config, layers } = JSON.parse(String(body)) as { config: Descriptor; layers: Descriptor[] }
      if (!/^\w[\w.-]{0,127}$/.test(name)) return refuse(400, 'TAG_INVALID')
      const isWhole = [config, ...layers].every(({ digest, size }) => blobs.get(digest)?.length === size)
      if (!isWhole) return refuse(400, 'MANIFEST_BLOB_UNKNOWN')
      manifests.set(name, body)
      return send(201)
    }
    return refuse(405, 'UNSUPPORTED')
  }
  const fake: FakeRegistry = { ...(await serveHttp(listener)), blobs, manifests, requests, intercept: () => false }
  return fake
}

interface Descriptor {
  readonly digest: string
  readonly size: number
}
