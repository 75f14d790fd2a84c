/**
 * Images on this machine, through the `docker` command: it knows contexts, DOCKER_HOST, credential helpers and BuildKit's session
 * (secrets, ssh), which the Engine API leaves to its client.
 */
import { createHash } from 'node:crypto'
import { copyFile, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { TaskFailure } from '../../tasks/kind.ts'
import type { Builder, BuildRequest, Command, Exit, Registry } from '../../tasks/ports.ts'
import { buildCommand, dockerFailure } from './docker-command.ts'
import { loginCommand, parseReference } from './image-reference.ts'
import { saveImage } from './image-save.ts'
import { type RunProcess, runProcess } from './process.ts'

export interface BuilderOptions {
  /** Asked, after a push, whether the image has arrived. */
  readonly registry: Registry
  readonly signal?: AbortSignal
  /** Applied to every line of output. */
  readonly redact?: (text: string) => string
  readonly run?: RunProcess
}

const minutes = 60_000
const lookTimeoutMs = minutes
const buildTimeoutMs = 120 * minutes
const pushTimeoutMs = 60 * minutes
const failureLines = 20

/** A builder on the engine that the user's `docker` command talks to. */
export function createBuilder({ registry, signal, redact, run = runProcess }: BuilderOptions): Builder {
  const look = (...argv: Command['argv']) => run({ argv, timeoutMs: lookTimeoutMs }, signal ? { signal } : {})

  /** Runs a command whose output people follow. */
  async function follow(command: Command, onLine: (line: string) => void, stop: AbortSignal): Promise<{ exit: Exit; lines: string[] }> {
    const lines: string[] = []
    const exit = await run(command, {
      signal: stop,
      ...(redact ? { redact } : {}),
      onLine(line) {
        lines.push(line)
        if (lines.length > failureLines) lines.shift()
        onLine(line)
      },
    })
    return { exit, lines }
  }

  return {
    async build(request, onLine, stop) {
      const directory = await mkdtemp(join(tmpdir(), 'stagecraft-build-'))
      try {
        const metadataFile = join(directory, 'metadata.json')
        const context = await linkContext(request, directory)
        const dockerfile = await withIgnored(request, directory)
        const command = { ...buildCommand({ ...request, context, dockerfile }, metadataFile), timeoutMs: buildTimeoutMs }
        const { exit, lines } = await follow(command, onLine, stop)
        if (exit.code !== 0) throw dockerFailure(request.dockerfile, `docker buildx build of ${request.context}`, exit, lines)
        return builtImageId(await readFile(metadataFile, 'utf8'), request.dockerfile)
      } finally {
        await rm(directory, { recursive: true, force: true })
      }
    },

    async buildWith(command, reference, onLine, stop) {
      const name = command.argv.slice(0, -1).join(' ')
      const { exit, lines } = await follow({ ...command, timeoutMs: buildTimeoutMs }, onLine, stop)
      if (exit.code !== 0) {
        const message = `${name} failed with exit code ${exit.code}`
        throw new TaskFailure({ reason: 'exit', subject: reference, message, output: [...lines] })
      }
      const id = await this.imageId(reference)
      if (id !== undefined) return id
      const message = `${name} ended well, but this machine's engine has no ${reference}`
      throw new TaskFailure({ reason: 'missing-output', subject: reference, message, output: [...lines] })
    },

    async imageId(reference) {
      const exit = await look('docker', 'image', 'inspect', '--format', '{{.Id}}', reference)
      if (exit.code === 0) return exit.stdout.trim()
      if (/no such image/i.test(exit.stderr)) return undefined
      throw dockerFailure(reference, 'docker image inspect', exit, [])
    },

    async layers(reference) {
      const exit = await look('docker', 'image', 'inspect', '--format', '{{json .RootFS.Layers}}', reference)
      if (exit.code === 0) return (JSON.parse(exit.stdout) as readonly string[] | null) ?? []
      if (/no such image/i.test(exit.stderr)) return undefined
      throw dockerFailure(reference, 'docker image inspect', exit, [])
    },

    save: async (reference, stop) => saveImage(reference, stop),

    async tag(source, reference) {
      const exit = await look('docker', 'image', 'tag', source, reference)
      if (exit.code !== 0) throw dockerFailure(reference, 'docker image tag', exit, [])
    },

    async push(reference, onLine, stop) {
      const parsed = parseReference(reference)
      const { exit, lines } = await follow({ argv: ['docker', 'image', 'push', reference], timeoutMs: pushTimeoutMs }, onLine, stop)
      if (exit.code !== 0) throw dockerFailure(reference, 'docker push', exit, lines, loginCommand(parsed.registry))
      // By digest: another run may push the same tag right after us.
      const digest = pushedDigest(exit.stdout)
      const pushed = digest === undefined ? reference : `${parsed.registry}/${parsed.repository}@${digest}`
      registry.forget(reference)
      registry.forget(pushed)
      const manifest = await registry.manifest(pushed)
      if (manifest !== undefined) return manifest.digest
      throw new TaskFailure({
        reason: 'missing-output',
        subject: reference,
        message: `docker push ended well, but ${parsed.registry} does not have ${pushed}`,
        remedy: 'push again; if that does not help, look at the registry',
        output: lines,
      })
    },
  }
}

/**
 * Gives the context a name that no other content has had. BuildKit keeps the files of earlier builds whose context folder had the same
 * *name*, and sends again only what differs in size or time: a file of another service, checked out in the same second, can end up in
 * the image (https://github.com/moby/buildkit/issues/4950). Layers are still found by content, whatever the folder is called.
 */
async function linkContext({ context, tags }: BuildRequest, directory: string): Promise<string> {
  if (!isAbsolute(context)) return context
  const link = join(directory, createHash('sha256').update(tags.join('\n')).digest('hex'))
  await symlink(context, link, 'dir')
  return link
}

/**
 * BuildKit takes the ignore file that is called like the Dockerfile and lies beside it, before the context's own: a copy of both, with
 * what is withheld added at the end, where nothing can bring it back.
 */
async function withIgnored({ context, dockerfile, withheld }: BuildRequest, directory: string): Promise<string> {
  if (withheld.length === 0 || !isAbsolute(context)) return dockerfile
  const copy = join(directory, 'Dockerfile')
  await copyFile(dockerfile, copy)
  const ignored = (await textOf(`${dockerfile}.dockerignore`)) ?? (await textOf(join(context, '.dockerignore'))) ?? ''
  await writeFile(`${copy}.dockerignore`, `${ignored}\n${withheld.join('\n')}\n`)
  return copy
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * The image id from the file that `--metadata-file` names. Engines with the containerd image store call an image by its manifest, so
 * the configuration's digest, which every engine and registry agrees on, comes first. Engine 20.10 gives it as `containerimage.digest` only.
 */
export function builtImageId(metadata: string, subject: string): string {
  const fields = JSON.parse(metadata) as Readonly<Record<string, unknown>>
  const id = fields['containerimage.config.digest'] ?? fields['containerimage.digest']
  if (typeof id === 'string') return id
  throw new TaskFailure({ reason: 'missing-output', subject, message: 'docker buildx build did not say which image it made' })
}

/** The last line of a push: `latest: digest: sha256:… size: 1357`. */
function pushedDigest(stdout: string): string | undefined {
  return [...stdout.matchAll(/digest: (sha256:[0-9a-f]{64})/g)].at(-1)?.[1]
}
