import { randomBytes } from 'node:crypto'
import { posix } from 'node:path'
import { z } from 'zod'
import type { ActionResult, TaskId } from '../graph/types.ts'
import { faultPoint } from './fault-point.ts'
import { defineTask, type Look, type TaskContext, TaskFailure } from './kind.ts'
import type { Host, HostPicture } from './ports.ts'
import { type BundleFile, bundleFiles } from './rendering/bundle-files.ts'
import { bundlesFolder, composeFileName, currentLink, filesFolder, incomingPrefix, modes } from './rendering/bundle-layout.ts'
import { type RenderValues, renderValues } from './rendering/params.ts'

const uploadParams = z.lazy(() =>
  z.strictObject({
    host: z.string().describe('name of the host'),
    directory: z.string().describe('absolute folder on the host'),
    render: z
      .string()
      .transform((id) => id as TaskId)
      .describe('the task whose bundle is put there'),
  }),
)
export type UploadParams = z.infer<typeof uploadParams>

/** Bundles kept on a host, `current` included. */
const bundlesKept = 5
/** A write takes several round trips; these many share them. */
const writesAtOnce = 8
/** Hashes of the bundles, the one last made current first: folders do not tell their age over SFTP. */
const historyFile = `${bundlesFolder}/.history`

/**
 * Puts a rendered bundle on its host and makes it current. A run that is killed leaves `current` as it was, or as wanted.
 * What containers mount (`files/`) is never removed here: an older container may still be using it.
 */
export const upload = defineTask<UploadParams>({
  name: 'upload',
  version: 1,
  summary: 'puts the rendered Compose file and its files on a host',
  freshness: 'effect',
  phase: 'rollout',
  pool: 'host',
  exclusive: true,
  params: uploadParams,
  title: (params) => `upload to ${params.host}`,
  observe,
  run,
  undo,
  putBack,
})

/** What the link led to before is still there: five bundles are kept. */
async function undo(params: UploadParams, context: TaskContext, { values }: ActionResult): Promise<void> {
  const { previous } = values
  if (typeof previous !== 'string') return
  const host = context.ports.host(params.host)
  await context.guard()
  await host.files.point(currentLink, `${bundlesFolder}/${previous}`)
  host.changed()
}

async function putBack(params: UploadParams, context: TaskContext, { bundle }: HostPicture): Promise<boolean> {
  const host = context.ports.host(params.host)
  if (bundle === undefined || (await host.observe()).bundle === bundle) return false
  if (!(await host.files.exists(`${bundlesFolder}/${bundle}`))) throw bundleIsGone(params, bundle)
  await context.guard()
  await host.files.point(currentLink, `${bundlesFolder}/${bundle}`)
  host.changed()
  return true
}

function bundleIsGone({ host, directory }: UploadParams, bundle: string): TaskFailure {
  return new TaskFailure({
    reason: 'refused',
    subject: host,
    message: `bundle ${bundle.slice(0, 12)}, which was current on ${host} before, is gone from ${directory}/${bundlesFolder}`,
    remedy: 'deploy again: it puts the right one there',
  })
}

async function observe(params: UploadParams, context: TaskContext): Promise<Look> {
  const wanted = rendered(params, context).values.bundle
  const { bundle } = await context.ports.host(params.host).observe()
  if (bundle === wanted) return { fresh: true, result: resultOf(params, wanted) }
  if (bundle === undefined) return { fresh: false, because: { reason: 'absent', detail: `no bundle on ${params.host}` } }
  return {
    fresh: false,
    because: { reason: 'drift', detail: `${params.host} has bundle ${bundle.slice(0, 12)}, not ${wanted.slice(0, 12)}` },
  }
}

async function run(params: UploadParams, context: TaskContext): Promise<ActionResult> {
  const { values, files } = rendered(params, context)
  const host = context.ports.host(params.host)
  const transfer: Transfer = { host, context, suffix: `${values.bundle.slice(0, 12)}-${randomBytes(4).toString('hex')}` }
  const { mounted, inBundle } = bundleFiles(files, values, context.ports)
  const { bundle: previous } = await host.observe()
  try {
    await context.guard()
    const [bundles, folders, earlier] = await Promise.all([
      openFolder(host, bundlesFolder),
      openFolder(host, filesFolder),
      host.files.read(historyFile),
    ])
    for (const [folder, contents] of mounted) if (!folders.has(folder)) await place(transfer, filesFolder, folder, contents)
    if (!bundles.has(values.bundle)) await place(transfer, bundlesFolder, values.bundle, inBundle)
    const { kept, old } = keptBundles(values.bundle, bundles, earlier)
    await context.guard()
    faultPoint('upload-placed', context)
    await Promise.all([
      host.files.point(currentLink, `${bundlesFolder}/${values.bundle}`),
      host.files.write(historyFile, Buffer.from(`${kept.join('\n')}\n`), modes.file),
    ])
    faultPoint('upload-current', context)
    for (const name of old) await host.files.remove(`${bundlesFolder}/${name}`)
  } catch (error) {
    throw permissionFailure(error, params) ?? error
  } finally {
    host.changed()
  }
  const result = resultOf(params, values.bundle)
  return previous === undefined ? result : { ...result, values: { ...result.values, previous } }
}

interface Transfer {
  readonly host: Host
  readonly context: TaskContext
  /** Unique to this run. */
  readonly suffix: string
}

/** Writes a folder under another name and renames it: it is there whole, or not at all. */
async function place({ host, context, suffix }: Transfer, parent: string, name: string, contents: readonly BundleFile[]): Promise<void> {
  await context.guard()
  const incoming = `${parent}/${incomingPrefix}${name.slice(0, 16)}-${suffix}`
  const folders = new Map(contents.map((file) => [posix.join(incoming, posix.dirname(file.path)), file.folderMode]))
  for (const [folder, mode] of folders) await host.files.makeDirectory(folder, mode)
  for (let start = 0; start < contents.length; start += writesAtOnce) {
    const batch = contents.slice(start, start + writesAtOnce)
    await Promise.all(batch.map(async (file) => host.files.write(`${incoming}/${file.path}`, await file.bytes(), file.mode)))
    faultPoint('upload-begun', context)
  }
  await context.guard()
  await host.files.rename(incoming, `${parent}/${name}`)
}

/**
 * Makes it if need be, and removes what a run left that was killed: this one holds the lock, so nobody is writing that.
 * @returns the names of what is whole in it.
 */
async function openFolder(host: Host, folder: string): Promise<ReadonlySet<string>> {
  const [names] = await Promise.all([host.files.list(folder), host.files.makeDirectory(folder, modes.folder)])
  const isUnfinished = (name: string) => name.startsWith(incomingPrefix)
  for (const name of names.filter(isUnfinished)) await host.files.remove(`${folder}/${name}`)
  return new Set(names.filter((name) => !isUnfinished(name)))
}

/** Which of the bundles on a host stay, the one last made current first, and which are too old. */
function keptBundles(current: string, there: ReadonlySet<string>, history: Uint8Array | undefined): { kept: string[]; old: string[] } {
  const names = new Set([current, ...[...there].filter((name) => /^[0-9a-f]{64}$/.test(name))])
  const earlier = new TextDecoder().decode(history ?? new Uint8Array()).split('\n')
  const ordered = [...new Set([current, ...earlier, ...names])].filter((name) => names.has(name))
  return { kept: ordered.slice(0, bundlesKept), old: ordered.slice(bundlesKept) }
}

function rendered(params: UploadParams, context: TaskContext): { readonly values: RenderValues; readonly files: ActionResult['files'] } {
  const result = context.needs.get(params.render)
  if (result === undefined || result.files[composeFileName] === undefined) throw new TypeError(`${params.render} yielded no Compose file`)
  return { values: renderValues.parse(result.values), files: result.files }
}

function resultOf(params: UploadParams, bundle: string): ActionResult {
  return { files: {}, values: { bundle, directory: `${params.directory}/${bundlesFolder}/${bundle}` } }
}

function permissionFailure(error: unknown, { host, directory }: UploadParams): TaskFailure | undefined {
  if (!(error instanceof Error) || !/permission denied|EACCES/i.test(error.message)) return undefined
  return new TaskFailure(
    {
      reason: 'refused',
      subject: host,
      message: `the deploy user may not write ${directory} on ${host}: ${error.message}`,
      remedy: `log in to ${host} as the deploy user and run: sudo install -d -o "$(id -un)" -g "$(id -gn)" -m 0750 ${directory}`,
    },
    { cause: error },
  )
}
