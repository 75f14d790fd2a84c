import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { ActionResult, JsonObject, TaskId } from '../../../graph/types.ts'
import type { RenderParams, RenderValues } from '../../../tasks/render.ts'
import { render } from '../../../tasks/render.ts'
import { renderValues } from '../../../tasks/rendering/params.ts'
import { MemoryContent, taskContext } from './task-context.ts'

/** One project as a person would have it on disk, and what is known about it. */
export interface RenderCase {
  readonly params?: Partial<RenderParams>
  /** The Compose file, parsed. */
  readonly compose: JsonObject
  /** Services whose image is ours, or that get the environment file. */
  readonly services?: Readonly<Record<string, { readonly push?: string; readonly ownCode?: boolean; readonly replicas?: number }>>
  readonly files?: Readonly<Record<string, string>>
  readonly executable?: readonly string[]
  readonly secrets?: Readonly<Record<string, string>>
  /** Digest each push yields; default one made of its name. */
  readonly digests?: Readonly<Record<string, string>>
}

export interface RenderedCase {
  readonly text: string
  readonly values: RenderValues
  readonly result: ActionResult
  readonly content: MemoryContent
}

export function paramsOf(given: RenderCase): RenderParams {
  const { services = {}, ...topLevel } = given.compose
  const entries = Object.entries(services as Record<string, JsonObject>).map(([name, definition]) => {
    const { push, ownCode = false, replicas = 1 } = given.services?.[name] ?? {}
    const image = push === undefined ? null : { push: push as TaskId, repository: `registry.example/shop/${name}` }
    return [name, { definition, replicas, image, ownCode }] as const
  })
  return render.params.parse({
    host: 'node-1',
    project: 'shop',
    environment: 'prod',
    composeProject: 'shop-prod',
    directory: '/opt/stagecraft/shop/prod',
    topLevel,
    services: Object.fromEntries(entries),
    plain: {},
    secretNames: [],
    envFileNames: [],
    hostEnvFile: null,
    ...given.params,
  }) as RenderParams
}

export async function renderCase(given: RenderCase): Promise<RenderedCase> {
  return inProject(given, async (projectDirectory) => {
    const content = new MemoryContent()
    const params = paramsOf(given)
    const pushes = Object.values(params.services).flatMap(({ image }) => (image === null ? [] : [image.push]))
    const digestOf = (push: string) => given.digests?.[push] ?? `sha256:${Buffer.from(push).toString('hex').padEnd(64, '0')}`
    const needs = Object.fromEntries(pushes.map((push) => [push, { files: {}, values: { digest: digestOf(push), repository: 'ignored' } }]))
    const result = await render.run(params, taskContext({ projectDirectory, content, needs, secrets: given.secrets ?? {} }))
    const file = result.files['docker-compose.yml']
    if (file === undefined) throw new Error('no Compose file in the result')
    return { text: content.text(file.digest), values: renderValues.parse(result.values), result, content }
  })
}

async function inProject<T>(given: RenderCase, work: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'stagecraft-render-'))
  try {
    for (const [path, text] of Object.entries(given.files ?? {})) {
      mkdirSync(dirname(join(directory, path)), { recursive: true })
      writeFileSync(join(directory, path), text)
      chmodSync(join(directory, path), given.executable?.includes(path) ? 0o755 : 0o644)
    }
    return await work(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}
