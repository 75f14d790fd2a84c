/** Which tasks a change affects: against a definition of it that is slow and obvious. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { affectWords, decideAffected, keptTasks } from '../../../src/affected/decide.ts'
import { openPaths } from '../../../src/affected/match-paths.ts'
import { parseDockerignore } from '../../../src/files/dockerignore.ts'
import type { TaskKind } from '../../../tasks/kind.ts'
import { graphOf, id, kind, task } from '../../support/fake-run.ts'

const test = suite('src/affected/decide')

/** Content whose inputs are its parameter: a list of globs, or null for undeclared. */
const content = kind('exec', {
  inputs: (params) => ({ files: params === null ? [] : [{ root: '.', include: params as string[] }] }),
  always: (params) => (params === null ? 'it declares no inputs' : undefined),
})
const effect = kind('rollout', { freshness: 'effect' })
const image = kind('build', {
  inputs: () => ({ files: [{ root: 'api', dockerignore: 'api/.dockerignore', always: ['ops/Dockerfile'], except: ['api/secret'] }] }),
})
const kinds: ReadonlyMap<string, TaskKind> = new Map([content, effect, image].map((one) => [one.name, one]))
const noRules = () => undefined

function words(
  tasks: Parameters<typeof graphOf>,
  paths: readonly string[],
  definitions: readonly string[] | 'all' = [],
): Record<string, string> {
  const changes = { paths, definitions: definitions === 'all' ? definitions : new Set(definitions.map(id)) }
  return Object.fromEntries(
    [...decideAffected(graphOf(...tasks), changes, kinds, noRules)].map(([affected, why]) => [affected, affectWords(why)]),
  )
}

test('by a file of its inputs, there or gone; by its definition; by what it needs, over any number of steps; never by what only comes first', () => {
  const tasks = [
    task('exec:gen', { params: ['schema/**', '!schema/tmp/**'] }),
    task('exec:test', { params: ['src/**'], needs: ['exec:gen'] }),
    task('exec:pack', { params: [], needs: ['exec:test'] }),
    task('exec:late', { params: ['docs/*.md'], after: ['exec:gen'] }),
  ]
  assert.equal(words(tasks, ['schema/a.sql']), { 'exec:gen': 'schema/a.sql changed', 'exec:test': 'needs gen', 'exec:pack': 'needs test' })
  assert.equal(words(tasks, ['schema/tmp/a.sql', 'docs/deep/a.md', 'README.md']), {})
  assert.equal(words(tasks, ['docs/a.md']), { 'exec:late': 'docs/a.md changed' })
  assert.equal(words(tasks, [], ['exec:late']), { 'exec:late': 'its definition changed' })
  assert.equal(Object.keys(words(tasks, [], 'all')).length, 4)
})

test('who declares no inputs may read anything; an effect is judged by its target', () => {
  const tasks = [task('exec:any', { params: null }), task('rollout:web')]
  assert.equal(words(tasks, ['x']), { 'exec:any': 'it declares no inputs, and something changed', 'rollout:web': 'its target decides' })
  assert.equal(words(tasks, []), { 'rollout:web': 'its target decides' })
})

test('an image: its context but for what is ignored or withheld, its Dockerfile, and its ignore file', () => {
  const tasks = graphOf(task('build:api'))
  const rules = parseDockerignore('*.md\n')
  const by = (path: string) => decideAffected(tasks, { paths: [path], definitions: new Set() }, kinds, () => rules).size
  for (const path of ['api/src/a.ts', 'ops/Dockerfile', 'api/.dockerignore']) assert.is(by(path), 1, path)
  for (const path of ['api/README.md', 'api/secret/x', 'web/a.ts', 'ops/other']) assert.is(by(path), 0, path)
})

test('what Stagecraft keeps for itself is no change', () => {
  assert.equal(words([task('exec:a', { params: ['**'] })], ['.stagecraft/run/last.json']), {})
  assert.equal(words([task('exec:a', { params: ['**'] })], ['.stagecraft/tests/smoke.sh']), {
    'exec:a': '.stagecraft/tests/smoke.sh changed',
  })
})

test('kept are all that is needed, content that only comes first is not', () => {
  const graph = graphOf(
    task('exec:lint', { params: ['lint'] }),
    task('exec:gen', { params: ['gen'] }),
    task('rollout:db'),
    task('exec:test', { params: ['src'], needs: ['exec:gen'], after: ['exec:lint', 'rollout:db'] }),
  )
  const affected = new Map([[id('exec:test'), { by: 'definition' } as const]])
  assert.equal([...keptTasks(graph, affected, kinds)].sort(), ['exec:gen', 'exec:test', 'rollout:db'])
})

// --- by the thousand ----------------------------------------------------------------------------------------------------

const folder = fc.constantFrom('a', 'b', 'c')
const file = fc.tuple(folder, folder, fc.constantFrom('x.ts', 'y.md', '.z')).map((parts) => parts.join('/'))
const pattern = fc.oneof(
  file,
  folder.map((name) => `${name}/**`),
  folder.map((name) => `**/${name}/*.ts`),
  folder.map((name) => `${name}/*/x.*`),
)

/** The same glob as a regular expression, for the few forms used here. */
function matches(glob: string, path: string): boolean {
  const parts = glob.split('/').map((part) => (part === '**' ? part : part.replaceAll('.', '\\.').replaceAll('*', '[^/]*')))
  const source = parts
    .join('/')
    .replace(/^\*\*\//, '(?:.*/)?')
    .replace(/\/\*\*$/, '/.+')
  return new RegExp(`^${source}$`).test(path)
}

test('globs mean the same for files that are gone as a plain reading of them', () => {
  fc.assert(
    fc.property(fc.array(file, { maxLength: 6 }), fc.array(pattern, { minLength: 1, maxLength: 3 }), (paths, include) => {
      const found = openPaths(paths).firstIn({ root: '.', include }, undefined)
      const expected = [...new Set(paths)].sort().find((path) => include.some((glob) => matches(glob, path)))
      assert.is(found, expected, JSON.stringify({ paths, include }))
    }),
    { numRuns: 2000 },
  )
})

test('of random graphs and changes, exactly those tasks are affected that reach a change through needs', () => {
  const spec = fc.array(fc.record({ inputs: fc.array(file, { maxLength: 2 }), needs: fc.array(fc.nat(9)), after: fc.array(fc.nat(9)) }), {
    minLength: 1,
    maxLength: 10,
  })
  fc.assert(
    fc.property(spec, fc.array(file, { maxLength: 3 }), fc.array(fc.nat(9), { maxLength: 2 }), (specs, paths, redefined) => {
      const name = (index: number) => `exec:t${index}`
      const earlier = (indices: readonly number[], self: number) => [...new Set(indices.filter((index) => index < self))].map(name)
      const tasks = specs.map(({ inputs, needs, after }, self) =>
        task(name(self), { params: inputs, needs: earlier(needs, self), after: earlier(after, self) }),
      )
      const definitions = new Set(redefined.map((index) => id(name(index))))
      const isAffected = (wanted: string): boolean => {
        const found = tasks.find((one) => one.id === wanted)
        if (found === undefined) return false
        const inputs = found.params as readonly string[]
        return inputs.some((path) => paths.includes(path)) || definitions.has(found.id) || found.needs.some(isAffected)
      }
      const decided = decideAffected(graphOf(...tasks), { paths, definitions }, kinds, noRules)
      assert.equal(
        [...decided.keys()].sort(),
        tasks
          .map(({ id }) => id)
          .filter(isAffected)
          .sort(),
      )
    }),
    { numRuns: 2000 },
  )
})

test.run()
