/** An image out of this machine's engine, through the `docker` command, which knows where that is. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { dockerFailure } from './docker-command.ts'

/** Kept of what it says on stderr. */
const keptCharacters = 8_000

/** @returns what `docker image save` writes; that it failed is an error of the stream. */
export function saveImage(reference: string, signal: AbortSignal): Readable {
  return Readable.from(save(reference, signal), { objectMode: false })
}

async function* save(reference: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const child = spawn('docker', ['image', 'save', reference], { stdio: ['ignore', 'pipe', 'pipe'], signal })
  const closed = once(child, 'close') as Promise<[number | null]>
  // Told when the output has ended, not while it is read.
  closed.catch(() => undefined)
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = `${stderr}${text}`.slice(-keptCharacters)
  })
  try {
    yield* child.stdout as AsyncIterable<Buffer>
    const [code] = await closed
    if (code !== 0) throw dockerFailure(reference, 'docker image save', { code: code ?? 1, stdout: '', stderr }, [])
  } finally {
    child.kill()
  }
}
