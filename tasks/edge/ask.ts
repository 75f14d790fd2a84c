/** One request to a machine's proxy, from that machine, through the port that other machines use. */
import { runningProxy, type Site } from './site.ts'

export interface EdgeAnswer {
  /** 0 when there was none. */
  readonly status: number
  readonly body: string
  /** `502`, or why there was no answer. */
  readonly problem: string
}

const timeoutMs = 5_000

/** Never rejects for what the proxy does; a host out of reach is a TaskFailure as everywhere. */
export async function ask(site: Site, wanted: { readonly name: string; readonly path: string }): Promise<EdgeAnswer> {
  const { address } = await runningProxy(site)
  if (address === undefined) return failed('the proxy has no address')
  const { request } = await import('node:http')
  let socket: Awaited<ReturnType<Site['host']['connect']>>
  try {
    socket = await site.host.connect(address, site.route.innerPort)
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error))
  }
  return new Promise((resolve) => {
    const headers = { host: wanted.name, connection: 'close' }
    const asked = request({ path: wanted.path, headers, createConnection: () => socket, timeout: timeoutMs }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', (error) => resolve(failed(error.message)))
      response.on('end', () => {
        const status = response.statusCode ?? 0
        resolve({ status, body: Buffer.concat(chunks).toString('utf8'), problem: String(status) })
        socket.destroy()
      })
    })
    asked.on('timeout', () => asked.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)))
    asked.on('error', (error) => resolve(failed(error.message)))
    asked.end()
  })
}

function failed(problem: string): EdgeAnswer {
  return { status: 0, body: '', problem }
}
