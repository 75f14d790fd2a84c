/**
 * An S3 server that others wrote and that checks signatures: https://www.npmjs.com/package/@20minutes/s3rver. With its dependencies it
 * is as large as everything else we test with, so it is installed beside the lab when it is first asked for.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { labLayout } from '../lab/layout.ts'

const version = '4.0.4'
/** Its dependencies as they were then: the same ones for everybody. */
const dependenciesOf = '2026-11-01'

/** What it gives access to, whoever asks. */
export const s3rverKeys = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' }

type Constructor = new (options: {
  readonly port: number
  readonly address: string
  readonly silent: boolean
  readonly directory: string
  readonly configureBuckets: readonly { readonly name: string }[]
}) => { run(): Promise<{ readonly port: number }>; close(): Promise<void> }

/** Installs it unless it is there. @returns why that cannot be, or undefined. */
export function s3rverObstacle(): string | undefined {
  try {
    install()
    return undefined
  } catch {
    return `npm cannot install @20minutes/s3rver@${version}`
  }
}

function install(): string {
  const folder = join(labLayout().dir, `s3rver-${version}`)
  const ready = join(folder, 'node_modules', '@20minutes', 's3rver', 'package.json')
  if (existsSync(ready)) return folder
  // Whole or not at all: a cut-off install would look like one.
  const begun = `${folder}.${process.pid}`
  mkdirSync(begun, { recursive: true })
  const wanted = ['install', '--prefix', begun, '--ignore-scripts', '--no-audit', '--no-fund', '--before', dependenciesOf]
  execFileSync('npm', [...wanted, `@20minutes/s3rver@${version}`], { cwd: begun, stdio: 'ignore', timeout: 120_000 })
  rmSync(folder, { recursive: true, force: true })
  renameSync(begun, folder)
  return folder
}

/** Starts it with a bucket, its objects below `directory`. */
export async function startS3rver(directory: string, bucket: string): Promise<{ readonly endpoint: string; close(): Promise<void> }> {
  const S3rver = createRequire(join(install(), 'package.json'))('@20minutes/s3rver') as Constructor
  const server = new S3rver({ port: 0, address: '127.0.0.1', silent: true, directory, configureBuckets: [{ name: bucket }] })
  const { port } = await server.run()
  return { endpoint: `http://127.0.0.1:${port}`, close: () => server.close() }
}
