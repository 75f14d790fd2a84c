import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { meaning } from '../../support/compose-meaning.ts'
import { composeModel, composeName, renderedStyle, writeBundle } from '../../support/compose-style.ts'
import { hasCompose } from '../../tasks/rendering/docker-compose.ts'

const test = suite('config/compose-styles')
const folder = fileURLToPath(new URL('../../../../test/golden/compose-styles/', import.meta.url))
const styles = readdirSync(folder).filter((name) => /^\d\d-/.test(name))
const variables = { TAG: '1.2', EMPTY: '', HOST_NAME: 'shop.example' }

test('there are twenty styles', () => assert.is(styles.length, 20))

for (const style of styles) {
  test(`${style} is rendered, twice to the same bytes`, async () => {
    const [first, second] = [await renderedStyle(join(folder, style), variables), await renderedStyle(join(folder, style), variables)]
    assert.equal(first.bundle, second.bundle)
    assert.is(first.values.bundle, second.values.bundle)
  })
  const composed = hasCompose ? test : test.skip
  composed(`${style} means to Docker Compose what it meant before`, async () => {
    const project = join(folder, style)
    const { bundle, params, mounted } = await renderedStyle(project, variables)
    const there = mkdtempSync(join(tmpdir(), 'stagecraft-style-'))
    try {
      writeBundle(there, bundle)
      const built = new Set(Object.entries(params.services).flatMap(([name, { image }]) => (image === null ? [] : [name])))
      const before = composeModel(join(project, composeName(project)), variables)
      const after = composeModel(join(there, 'docker-compose.yml'))
      const inProject = (path: string) => (path.startsWith(`${project}/`) || path.startsWith('./') ? `project ${basename(path)}` : path)
      const texts = new Set(Object.values(before['configs'] ?? {}).map((config) => config.content))
      const onHost = (path: string) => {
        if (!path.startsWith(`${params.directory}/files/`)) return path
        const text = mounted[path]
        return text !== undefined && texts.has(text) ? `text ${text}` : `project ${basename(path)}`
      }
      assert.equal(meaning(after, built, onHost), meaning(before, built, inProject))
    } finally {
      rmSync(there, { recursive: true })
    }
  })
}

test.run()
