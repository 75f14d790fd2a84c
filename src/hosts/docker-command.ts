/** The `docker` command lines of a build, and what their failures mean. Pure. */
import type { Failure } from '../../graph/types.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import type { BuildRequest, Command, Exit } from '../../tasks/ports.ts'

/** Linux takes no more than 128 KiB in one variable, name included. */
const variableLimitBytes = 120 * 1024

/**
 * The build as a command. Secrets travel in the command's environment under made-up names: argument lists are public to every user of
 * the machine. No attestations: they hold times, and so would give every build of the same image another digest.
 * @throws TaskFailure for what one `docker` engine cannot load or carry.
 */
export function buildCommand(request: BuildRequest, metadataFile: string): Command {
  const secrets = request.secrets.map(({ id, value }, index) => {
    if (!/^[\w.-]+$/.test(id))
      throw refused(`secret ${id}`, `\`${id}\` cannot be a build secret's id`, 'use letters, digits, `_`, `.` and `-`')
    if (value.includes('\0') || Buffer.byteLength(value) > variableLimitBytes) {
      throw refused(
        `secret ${id}`,
        `build secret \`${id}\` is binary or larger than ${variableLimitBytes / 1024} KiB`,
        'encode or split it',
      )
    }
    return { id, variable: `STAGECRAFT_BUILD_SECRET_${index}`, value }
  })
  const argv: Command['argv'] = [
    ...(['docker', 'buildx', 'build'] as const),
    ...['--load', '--progress=plain', '--provenance=false', '--sbom=false', '--metadata-file', metadataFile, '--file', request.dockerfile],
    ...request.tags.flatMap((tag) => ['--tag', tag]),
    ...(request.target === undefined ? [] : ['--target', request.target]),
    ...request.platforms.flatMap((platform) => ['--platform', platform]),
    ...pairs('--build-arg', request.args),
    ...pairs('--label', request.labels),
    ...pairs('--build-context', request.additionalContexts),
    ...secrets.flatMap(({ id, variable }) => ['--secret', `id=${id},env=${variable}`]),
    ...request.ssh.flatMap((agent) => ['--ssh', agent]),
    ...request.cacheFrom.flatMap((source) => ['--cache-from', source]),
    ...(request.cacheTo ?? []).flatMap((target) => ['--cache-to', target]),
    ...(request.noCache ? ['--no-cache'] : []),
    request.context,
  ]
  return { argv, env: Object.fromEntries(secrets.map(({ variable, value }) => [variable, value])) }
}

/** Sorted: the same request is the same command. */
function pairs(flag: string, values: Readonly<Record<string, string>>): string[] {
  return Object.keys(values)
    .sort()
    .flatMap((name) => [flag, `${name}=${values[name]}`])
}

function refused(subject: string, message: string, remedy: string): TaskFailure {
  return new TaskFailure({ reason: 'refused', subject, message, remedy })
}

const loginRemedy = 'docker login'

const knownFailures: readonly { readonly pattern: RegExp; readonly reason: Failure['reason']; readonly remedy: string }[] = [
  {
    pattern: /permission denied while trying to connect to the Docker (?:daemon|API)/i,
    reason: 'refused',
    remedy: 'let your user reach the engine: https://docs.docker.com/engine/install/linux-postinstall/',
  },
  {
    pattern: /cannot connect to the docker daemon|error during connect|failed to connect to the docker API/i,
    reason: 'unreachable',
    remedy: 'start Docker on this machine, or point DOCKER_HOST at an engine',
  },
  {
    pattern: /'buildx' is not a docker command|unknown command: docker buildx|unknown flag: --(?:load|metadata-file|provenance|sbom)/,
    reason: 'refused',
    remedy: 'install buildx 0.10 or newer: https://docs.docker.com/go/buildx/',
  },
  {
    pattern: /unsupported frontend capability moby\.buildkit\.frontend\.contexts/,
    reason: 'refused',
    remedy: 'additional contexts need Docker Engine 23 or newer',
  },
  {
    pattern: /no basic auth credentials|authentication required|unauthorized|denied: |insufficient_scope|401 Unauthorized|403 Forbidden/i,
    reason: 'refused',
    remedy: loginRemedy,
  },
  {
    pattern: /cache export (?:feature )?is (?:currently )?not supported|exporting cache is not supported/i,
    reason: 'refused',
    remedy: 'this builder keeps no cache elsewhere: `docker buildx create --use` makes one that does, or leave `cache_to` out',
  },
  { pattern: /no space left on device/i, reason: 'refused', remedy: 'make room: docker system df shows what Docker holds' },
]

/** What a `docker` that ended with a non-zero code means. `lines` are its last lines, `login` what would give it credentials. */
export function dockerFailure(
  subject: string,
  doing: string,
  { code, stdout, stderr }: Exit,
  lines: readonly string[],
  login?: string,
): TaskFailure {
  // A build's own output may say anything. What went wrong with the build is in lines of buildx's own.
  const errors = stderr.split('\n').filter((line) => line.startsWith('ERROR: '))
  const text = errors.length > 0 ? errors.join('\n') : `${stderr}\n${stdout}`
  const known = knownFailures.find(({ pattern }) => pattern.test(text))
  const last = text.trim().split('\n').at(-1)?.trim() ?? ''
  const remedy = known?.remedy === loginRemedy && login !== undefined ? login : known?.remedy
  return new TaskFailure({
    reason: known?.reason ?? 'exit',
    subject,
    message: `${doing} failed with exit code ${code}${last === '' ? '' : `: ${last}`}`,
    ...(remedy === undefined ? {} : { remedy }),
    ...(lines.length === 0 ? {} : { output: [...lines] }),
  })
}
