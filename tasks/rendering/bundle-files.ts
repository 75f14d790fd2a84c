import { posix } from 'node:path'
import type { ActionResult } from '../../graph/types.ts'
import { TaskFailure } from '../kind.ts'
import type { Ports } from '../ports.ts'
import { environmentFileName, filesFolder, modes } from './bundle-layout.ts'
import { renderEnvFile } from './env-file.ts'
import type { RenderValues, Sidecar } from './params.ts'
import { evaluate } from './template.ts'

/** One file to be written on a host. */
export interface BundleFile {
  /** Relative to the folder that is put in place as a whole. */
  readonly path: string
  readonly mode: number
  /** Of the folders made for it. */
  readonly folderMode: number
  /** Read when it is written, so that few secrets and large files are held at once. */
  bytes(): Promise<Uint8Array>
}

export interface BundleFiles {
  /** By folder below `files/`, each complete or absent on the host. */
  readonly mounted: ReadonlyMap<string, readonly BundleFile[]>
  readonly inBundle: readonly BundleFile[]
}

type FilePorts = Pick<Ports, 'content' | 'secrets'>

/** Everything a render result stands for, with secrets filled in as they are written and nowhere else. */
export function bundleFiles(files: ActionResult['files'], values: RenderValues, ports: FilePorts): BundleFiles {
  const all: BundleFile[] = Object.entries(files).map(([path, { digest, executable }]) => ({
    path,
    mode: executable ? modes.executable : modes.file,
    folderMode: modes.mountedFolder,
    bytes: () => ports.content.read(digest),
  }))
  const secret = (path: string, text: () => string): BundleFile => ({
    path,
    mode: path.startsWith(`${filesFolder}/`) ? modes.mountedSecret : modes.secret,
    folderMode: modes.secretFolder,
    bytes: async () => Buffer.from(text()),
  })
  for (const sidecar of values.sidecars) all.push(secret(sidecar.path, () => sidecarText(sidecar, ports)))
  if (values.variables.length > 0) {
    const environment = () => renderEnvFile(Object.fromEntries(values.variables.map((name) => [name, ports.secrets.get(name)])))
    all.push(secret(environmentFileName, environment))
  }

  const mounted = new Map<string, BundleFile[]>()
  const inBundle: BundleFile[] = []
  for (const file of all) {
    const [top, folder, ...rest] = file.path.split(posix.sep)
    if (top !== filesFolder || folder === undefined)
      inBundle.push({ ...file, folderMode: top === file.path ? modes.folder : modes.secretFolder })
    else mounted.set(folder, [...(mounted.get(folder) ?? []), { ...file, path: rest.join('/') }])
  }
  return { mounted, inBundle }
}

function sidecarText(sidecar: Sidecar, { secrets }: FilePorts): string {
  const text = 'secret' in sidecar ? secrets.get(sidecar.secret) : evaluate(sidecar.template, (name) => secrets.get(name))
  if (!text.includes('\ufffd')) return text
  throw new TaskFailure({
    reason: 'refused',
    subject: sidecar.path,
    message: `${sidecar.path} is not UTF-8 text; a secret that is not text would be changed on its way to the host`,
    remedy: 'encode it, for example as base64, and decode it in the container',
  })
}
