/** A folder with a Compose file, deployed as far as the rendered file, and what Docker Compose makes of both. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { JsonObject, Task } from '../../graph/types.ts'
import { loadCompose } from '../../src/config/compose-file.ts'
import { parseConfig } from '../../src/config/load.ts'
import { resolveDeployment } from '../../src/config/resolve.ts'
import { buildArguments } from '../../src/pipelines/build-arguments.ts'
import { deployTasks } from '../../src/pipelines/deploy.ts'
import { render } from '../../tasks/render.ts'
import { bundleFiles } from '../../tasks/rendering/bundle-files.ts'
import { type RenderParams, type RenderValues, renderValues } from '../../tasks/rendering/params.ts'
import { accepted } from '../src/config/told.ts'
import { MemoryContent, memorySecrets, taskContext } from '../tasks/rendering/task-context.ts'

export interface RenderedStyle {
  readonly params: RenderParams
  readonly values: RenderValues
  /** What is in the bundle, by path. */
  readonly bundle: Readonly<Record<string, Uint8Array>>
  /** What containers mount, by absolute path on the host, where it may be seen. */
  readonly mounted: Readonly<Record<string, string>>
  /** Project-relative names of the files it was made from. */
  readonly others: readonly string[]
}

export const composeName = (folder: string): string => {
  const name = readdirSync(folder).find((file) => /^(docker-)?compose\.ya?ml$/.test(file))
  if (name === undefined) throw new Error(`no Compose file in ${folder}`)
  return name
}

/** Loads, resolves and renders the folder's Compose file for one host, with these variables in the manifest. */
export async function renderedStyle(folder: string, variables: Readonly<Record<string, string>>): Promise<RenderedStyle> {
  const file = composeName(folder)
  const manifest = JSON.stringify({
    project: { name: 'styles', registry: 'registry.example/styles', compose_file: file },
    environments: { prod: { hosts: ['deploy@203.0.113.7'], variables } },
  })
  const loaded = accepted(parseConfig(manifest, join(folder, 'stagecraft.yml'), { shownAs: 'stagecraft.yml' }))
  const compose = accepted(await loadCompose(join(folder, file), { shownAs: file, projectDirectory: folder }))
  const deployment = accepted(resolveDeployment(loaded, compose, 'prod'))
  const tasks = deployTasks(deployment, {
    ...{ version: '1', envFileNames: [], buildArgs: accepted(buildArguments(deployment)), ignoreFiles: {} },
  })
  const params = tasks.find(({ kind }: Task) => kind === 'render')?.params as unknown as RenderParams
  const pushes = Object.values(params.services).flatMap(({ image }) => (image === null ? [] : [image.push]))
  const needs = Object.fromEntries(pushes.map((id) => [id, { files: {}, values: { digest: `sha256:${'1'.repeat(64)}` } }]))
  const content = new MemoryContent()
  const secrets = Object.fromEntries(filesIn(folder).map((path) => [`file:${path}`, readFileSync(join(folder, path), 'utf8')]))
  const result = await render.run(params, taskContext({ projectDirectory: folder, content, needs, secrets }))
  const values = renderValues.parse(result.values)
  const { inBundle } = bundleFiles(result.files, values, { content, secrets: memorySecrets(secrets) })
  const bundle = await Promise.all(inBundle.map(async (entry) => [entry.path, await entry.bytes()] as const))
  const mounted = Object.entries(result.files).map(([path, { digest }]) => [`${params.directory}/${path}`, content.text(digest)])
  return {
    ...{ params, values, bundle: Object.fromEntries(bundle), mounted: Object.fromEntries(mounted) },
    others: compose.others.map((path) => relative(folder, path)),
  }
}

export function writeBundle(folder: string, bundle: RenderedStyle['bundle']): void {
  for (const [path, bytes] of Object.entries(bundle)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), bytes)
  }
}

/** The normalised model, as `docker compose config` has it. @throws Error with what Compose says against it. */
export function composeModel(file: string, variables: Readonly<Record<string, string>> = {}): JsonObject {
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...variables }
  const argv = ['compose', '-f', file, '-p', 'styles-prod', '--profile', '*', 'config', '--format', 'json']
  const { status, stdout, stderr } = spawnSync('docker', argv, { cwd: dirname(file), env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`docker compose config of ${file}: ${stderr}`)
  return JSON.parse(stdout) as JsonObject
}

function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)))
}
