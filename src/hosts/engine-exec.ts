/** One program inside a running container (Engine API, `/containers/{id}/exec` and `/exec/{id}/start`). */
import type { Duplex } from 'node:stream'
import { PassThrough } from 'node:stream'
import { finished } from 'node:stream/promises'
import type Dockerode from 'dockerode'
import type { Exit } from '../../tasks/ports.ts'

/** As the container's own user; no terminal. What it prints is taken whole, so it is for short answers. */
export async function execInContainer(
  docker: Dockerode,
  container: string,
  argv: readonly string[],
  stdin: string | undefined,
  abortSignal: AbortSignal,
): Promise<Exit> {
  const wanted = { Cmd: [...argv], AttachStdout: true, AttachStderr: true, AttachStdin: stdin !== undefined, abortSignal }
  const exec = await docker.getContainer(container).exec(wanted)
  const stream: Duplex = await exec.start({ hijack: stdin !== undefined, stdin: stdin !== undefined, abortSignal })
  const [stdout, stderr] = [collector(), collector()]
  docker.modem.demuxStream(stream, stdout.stream, stderr.stream)
  if (stdin !== undefined) stream.end(stdin)
  await finished(stream, { writable: false })
  const { ExitCode } = await exec.inspect({ abortSignal })
  return { code: ExitCode ?? 1, stdout: stdout.text(), stderr: stderr.text() }
}

function collector(): { readonly stream: PassThrough; text(): string } {
  const stream = new PassThrough()
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return { stream, text: () => Buffer.concat(chunks).toString('utf8') }
}
