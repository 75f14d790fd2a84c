/** Reads what a host holds, of all environments that are on it. */
import { posix } from 'node:path'
import { TaskFailure } from '../../../tasks/kind.ts'
import type { Host } from '../../../tasks/ports.ts'
import { bundlesFolder, filesFolder } from '../../../tasks/rendering/bundle-layout.ts'
import { pulledFolder } from '../../../tasks/rolling/pulled.ts'
import { sentReference } from '../../../tasks/transferring/names.ts'
import type { HeldContainer } from '../../hosts/engine-stock.ts'
import type { HostOperator } from '../../hosts/operator.ts'
import { parseHistory } from '../../releases/history-file.ts'
import { newestFirst, type Release, type ReleaseImage } from '../../releases/release.ts'
import { remoteHistory } from '../../session/host-history.ts'
import type { EnvironmentStock, HostStock } from './decide.ts'

const timeoutMs = 60_000
/** What of a Compose file of ours matters: its images, and the folders it mounts. More than that is found at times, and keeps more. */
const wanted = '^ +image: .*|files/[0-9a-f]{16}'
const workingDirectory = 'com.docker.compose.project.working_dir'

/**
 * @param releases of this environment, where they were found: its history is on the primary host only.
 * @throws TaskFailure when a folder cannot be read: what is needed there is not known, and nothing may go.
 */
export async function readStock(host: Host, operator: HostOperator, releases: readonly Release[]): Promise<HostStock> {
  const [containers, images] = await Promise.all([operator.containers(), operator.images()])
  const found = await findFiles(host, roots(host.directory, containers))
  const directories = [...new Set([host.directory, ...found.map(({ directory }) => directory)])]
  const references = await findReferences(host, directories)
  const order = await readText(host, `${bundlesFolder}/.history`)
  const { bundle } = await host.observe()
  const own: EnvironmentStock = {
    directory: host.directory,
    ...bundlesOf(host.directory, references, [bundle ?? '', ...(order ?? '').split('\n')]),
    releases: imagesOf(releases),
  }
  const others: EnvironmentStock[] = []
  // One by one: sshd allows ten programs at once on a connection, and other hosts are asked meanwhile.
  for (const directory of directories.slice(1)) {
    const history = found.find((file) => file.directory === directory && file.path.endsWith(`/${remoteHistory}`))
    const text = history && (await ask(host, ['cat', '--', history.path]))
    const theirs = history && text !== undefined ? parseHistory(text, `${host.name}:${history.path}`).releases : []
    others.push({ directory, ...bundlesOf(directory, references, []), releases: imagesOf(theirs) })
  }
  const folders = (await host.files.list(filesFolder)).filter((name) => /^[0-9a-f]{16}$/.test(name))
  return { containers, images, own, others, folders, pulled: await readPulled(host) }
}

/** Where environments lie: beside ours, and wherever a container of another says it is from. */
export function roots(directory: string, containers: readonly HeldContainer[]): readonly string[] {
  const others = containers.flatMap(({ labels }) => {
    const folder = labels['stagecraft.project'] ? labels[workingDirectory] : undefined
    const match = folder === undefined ? null : /^(\/.+)\/[^/]+\/[^/]+\/bundles\/[0-9a-f]{64}$/.exec(folder)
    return match?.[1] ?? []
  })
  return [...new Set([posix.dirname(posix.dirname(directory)), ...others])].sort()
}

/** Newest first; only what went all the way can be gone back to. */
export function imagesOf(releases: readonly Release[]): readonly (readonly string[])[] {
  return newestFirst(releases)
    .filter((release) => release.kind !== 'build' && release.phases.finalize === 'completed')
    .map((release) => Object.values(release.images ?? {}).map(nameOf))
}

/** What it is called on a host. */
function nameOf({ ref, digest, transfer }: ReleaseImage): string {
  return transfer === 'ssh' ? sentReference(ref, digest) : `${ref}@${digest}`
}

async function findFiles(
  host: Host,
  folders: readonly string[],
): Promise<readonly { readonly directory: string; readonly path: string }[]> {
  const text = await ask(host, [
    'find',
    ...folders,
    '-mindepth',
    '3',
    '-maxdepth',
    '3',
    '(',
    '-name',
    remoteHistory,
    '-o',
    '-name',
    bundlesFolder,
    ')',
  ])
  return lines(text).map((path) => ({ directory: posix.dirname(path), path }))
}

type References = readonly { readonly path: string; readonly word: string }[]

async function findReferences(host: Host, directories: readonly string[]): Promise<References> {
  const folders = directories.map((directory) => `${directory}/${bundlesFolder}`)
  const there = lines(await ask(host, ['find', ...directories, '-maxdepth', '1', '-type', 'd', '-name', bundlesFolder]))
  const searched = folders.filter((folder) => there.includes(folder))
  if (searched.length === 0) return []
  const files = ['find', ...searched, '-mindepth', '2', '-maxdepth', '2', '-name', 'docker-compose.yml'] as const
  const text = await ask(host, [...files, '-exec', 'grep', '-H', '-o', '-E', '-e', wanted, '{}', '+'], [0, 1])
  return lines(text).flatMap((line) => {
    const [, path, word] = /^(\/.*?\/docker-compose\.yml):(.*)$/.exec(line) ?? []
    return path === undefined || word === undefined ? [] : [{ path, word }]
  })
}

function bundlesOf(
  directory: string,
  references: References,
  order: readonly string[],
): Pick<EnvironmentStock, 'bundles' | 'images' | 'mounted'> {
  const images: Record<string, string[]> = {}
  const mounted: Record<string, string[]> = {}
  for (const { path, word } of references) {
    if (!path.startsWith(`${directory}/${bundlesFolder}/`)) continue
    const hash = posix.basename(posix.dirname(path))
    images[hash] ??= []
    mounted[hash] ??= []
    const image = /^ +image: (.*)$/.exec(word)?.[1]
    if (image === undefined) mounted[hash].push(word.slice('files/'.length))
    else images[hash].push(image.trim().replace(/^(['"])(.*)\1$/, '$2'))
  }
  const known = Object.keys(images).sort()
  const ordered = [...new Set([...order, ...known])]
  return { bundles: ordered.filter((hash) => known.includes(hash) && /^[0-9a-f]{64}$/.test(hash)), images, mounted }
}

async function readPulled(host: Host): Promise<readonly string[]> {
  const names = await host.files.list(pulledFolder)
  const texts = await Promise.all(names.map((name) => host.files.read(`${pulledFolder}/${name}`)))
  return texts.flatMap((bytes) => (bytes === undefined ? [] : Buffer.from(bytes).toString('utf8').trim()))
}

async function readText(host: Host, path: string): Promise<string | undefined> {
  const bytes = await host.files.read(path)
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8')
}

async function ask(host: Host, argv: [string, ...string[]], fine: readonly number[] = [0]): Promise<string> {
  const { code, stdout, stderr } = await host.run({ argv, timeoutMs })
  const problems = lines(stderr).filter((line) => !isOfEdge(line))
  if (problems.length === 0 && (fine.includes(code) || stderr !== '')) return stdout
  const message = `cannot see what is needed on ${host.name}: ${problems.join('; ') || `${argv[0]} ended with code ${code}`}`
  const remedy = 'the user must be able to read the folders of all environments on the host; nothing was removed'
  throw new TaskFailure({ reason: 'refused', subject: host.name, message, remedy })
}

/** The edge keeps files of its own beside the projects; no image is named there. */
function isOfEdge(line: string): boolean {
  return /\/edge\/.*: Permission denied$/.test(line)
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}
