import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { bundleFiles } from '../../tasks/rendering/bundle-files.ts'
import { composeConfig, hasCompose } from './rendering/docker-compose.ts'
import { type RenderCase, renderCase } from './rendering/render-case.ts'
import { memorySecrets } from './rendering/task-context.ts'

const test = suite('tasks/render-golden')
const folder = fileURLToPath(new URL('../../../test/golden/render/', import.meta.url))
const names = readdirSync(folder).flatMap((file) => (file.endsWith('.input.yml') ? [file.replace('.input.yml', '')] : []))

function caseOf(name: string): RenderCase {
  return parse(readFileSync(`${folder}${name}.input.yml`, 'utf8'), { merge: true }) as RenderCase
}

for (const name of names) {
  test(`${name} is rendered as its golden file says`, async () => {
    const { text, values, result } = await renderCase(caseOf(name))
    const others = Object.keys(result.files).filter((path) => path !== 'docker-compose.yml')
    const beside = [
      ...others,
      ...values.sidecars.map((sidecar) => `${sidecar.path} ${JSON.stringify(sidecar)}`),
      `.env: ${values.variables.join(' ')}`,
    ]
    const shown = `${text}\n# beside it:\n${beside.map((line) => `#   ${line}\n`).join('')}`
    const golden = `${folder}${name}.yml`
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, shown)
    assert.is(shown, existsSync(golden) ? readFileSync(golden, 'utf8') : '')
  })
  const composed = hasCompose ? test : test.skip
  composed(`Docker Compose accepts ${name} without a warning`, async () => {
    const given = caseOf(name)
    const { text, values, result, content } = await renderCase(given)
    const { inBundle } = bundleFiles(result.files, values, { content, secrets: memorySecrets(given.secrets ?? {}) })
    const files = await Promise.all(inBundle.map(async (file) => [file.path, Buffer.from(await file.bytes()).toString()] as const))
    const onHost = text.replace(/^ *- \/etc\/(on-host.env|platform\/env)\n/gm, '').replace(/^ *env_file:\n(?! *-)/gm, '')
    const { code, stderr } = composeConfig({ ...Object.fromEntries(files), 'docker-compose.yml': onHost }, '-q')
    assert.equal([code, stderr], [0, ''])
  })
}

test.run()
