/** The registry credentials that `docker login` left behind (https://docs.docker.com/reference/cli/docker/login/). */
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { TaskFailure } from '../../tasks/kind.ts'
import type { RegistryCredentials } from '../../tasks/ports.ts'
import { serverAddress } from './image-reference.ts'
import type { RunProcess } from './process.ts'

/** Where a registry's credentials are: in the file itself, or with the program `docker-credential-<helper>`. */
export type CredentialSource =
  | { readonly from: 'file'; readonly credentials: RegistryCredentials }
  | { readonly from: 'helper'; readonly helper: string; readonly server: string }

/**
 * Finds a registry in the text of a Docker `config.json`. As in Docker, a helper that is named is the only source.
 * @throws SyntaxError when the text is not JSON.
 */
export function credentialSource(text: string, registry: string): CredentialSource | undefined {
  const config = record(JSON.parse(text))
  const server = serverAddress(registry)
  const helper = record(config['credHelpers'])[registry] ?? record(config['credHelpers'])[server] ?? config['credsStore']
  if (typeof helper === 'string' && helper !== '') return { from: 'helper', helper, server }
  const auths = record(config['auths'])
  const key = Object.hasOwn(auths, server) ? server : Object.keys(auths).find((name) => hostOf(name) === hostOf(server))
  const credentials = key === undefined ? undefined : fileCredentials(record(auths[key]), server)
  return credentials && { from: 'file', credentials }
}

export interface CredentialOptions {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly run: RunProcess
  readonly signal?: AbortSignal
}

/**
 * Credentials for a registry, or undefined when Docker has none.
 * @throws TaskFailure when the configuration cannot be read or its helper fails.
 */
export async function loadCredentials(registry: string, options: CredentialOptions): Promise<RegistryCredentials | undefined> {
  const { DOCKER_CONFIG, HOME } = options.environment
  const file = join(DOCKER_CONFIG || join(HOME || homedir(), '.docker'), 'config.json')
  const text = await readConfig(file)
  if (text === undefined) return undefined
  let source: CredentialSource | undefined
  try {
    source = credentialSource(text, registry)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    // The error's own text would quote the file, which holds passwords.
    throw unreadable(file, 'is not valid JSON')
  }
  return source?.from === 'helper' ? askHelper(source, options) : source?.credentials
}

async function readConfig(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw unreadable(file, `cannot be read: ${code}`)
  }
}

function unreadable(file: string, what: string): TaskFailure {
  return new TaskFailure({
    reason: 'refused',
    subject: file,
    message: `${file} ${what}`,
    remedy: 'mend the file, or run `docker login` again',
  })
}

const helperTimeoutMs = 30_000

/** The protocol of https://github.com/docker/docker-credential-helpers: the server's name in, JSON out. */
async function askHelper(
  { helper, server }: { helper: string; server: string },
  options: CredentialOptions,
): Promise<RegistryCredentials | undefined> {
  const program = `docker-credential-${helper}`
  const { code, stdout } = await options.run(
    { argv: [program, 'get'], stdin: `${server}\n`, timeoutMs: helperTimeoutMs },
    options.signal ? { signal: options.signal } : {},
  )
  if (code !== 0 && /credentials not found/i.test(stdout)) return undefined
  const answer = code === 0 ? parseAnswer(stdout) : undefined
  if (answer === undefined) {
    throw new TaskFailure({
      reason: 'exit',
      subject: program,
      message: `\`${program} get\` gave no credentials for ${server} (exit code ${code})`,
      remedy: `run \`docker login ${hostOf(server)}\` again`,
    })
  }
  const { Username: username, Secret: password } = answer
  return username === '<token>' ? identity(server, password) : { username, password, serveraddress: server }
}

function parseAnswer(text: string): { readonly Username: string; readonly Secret: string } | undefined {
  try {
    const { Username, Secret } = record(JSON.parse(text))
    return typeof Username === 'string' && typeof Secret === 'string' ? { Username, Secret } : undefined
  } catch {
    return undefined
  }
}

function fileCredentials(entry: Readonly<Record<string, unknown>>, server: string): RegistryCredentials | undefined {
  const { auth, identitytoken, username, password } = entry
  if (typeof identitytoken === 'string' && identitytoken !== '') return identity(server, identitytoken)
  if (typeof auth === 'string' && auth !== '') {
    const [, name = '', secret = ''] = /^([^:]*):(.*?)\0*$/s.exec(Buffer.from(auth, 'base64').toString('utf8')) ?? []
    return name === '' ? undefined : { username: name, password: secret, serveraddress: server }
  }
  if (typeof username !== 'string' || typeof password !== 'string' || username === '') return undefined
  return { username, password, serveraddress: server }
}

function identity(server: string, identitytoken: string): RegistryCredentials {
  return { username: '', password: '', serveraddress: server, identitytoken }
}

/** Old clients wrote `https://ghcr.io/v1/` for `ghcr.io`. */
function hostOf(server: string): string {
  return server.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
