import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseHistory, renderHistory } from '../../../src/releases/history-file.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import { release } from '../../support/releases.ts'

const test = suite('src/releases/history-file')

test('what is written is read back, with fields nobody here knows', () => {
  const known = release('rel-20260102-030405678', { images: { api: { ref: 'api:1', digest: 'sha256:1' } } })
  const text = renderHistory({ releases: [{ ...known, plan_id: 'x' } as typeof known], fields: { audit: [1] } })
  assert.is(renderHistory(parseHistory(text, 'releases.json')), text)
  assert.match(text, /^\{\n {2}"schema_version": 1,\n {2}"audit"/)
  assert.ok(text.endsWith('}\n'))
})

test('a file of an older program is completed: no phases, no kind, no finished', () => {
  const old = { id: 'rel-20260102-030405', environment: 'prod', version: 'v1', timestamp: '2026-01-02T03:04:05Z' }
  const [read] = parseHistory(JSON.stringify({ releases: [old] }), 'releases.json').releases
  assert.is(read?.kind, 'deploy')
  assert.is(read?.commit_sha, '')
  assert.is(read?.phases.finalize, 'pending')
  assert.is(read?.updated_at, old.timestamp)
  assert.is(read?.finished, true)
})

const entry = { id: 'rel-1', environment: 'prod', version: 'v1', timestamp: 't' }
const damaged: readonly (readonly [name: string, text: string, expected: RegExp])[] = [
  ['half a file', '{"releases": [', /damaged: .*JSON/],
  ['an empty file', '', /damaged: .*JSON/],
  ['another shape', '[]', /no list `releases`/],
  ['an entry that is no object', '{"releases": [1]}', /releases\[0\] is not an object/],
  ['an entry without id', JSON.stringify({ releases: [entry, { ...entry, id: undefined }] }), /releases\[1\]\.id is not a text/],
  ['phases that are no object', JSON.stringify({ releases: [{ ...entry, phases: [] }] }), /phases is not an object/],
  ['an unknown status', JSON.stringify({ releases: [{ ...entry, phases: { build: 'done' } }] }), /phases\.build is not a known status/],
  ['an unknown kind', JSON.stringify({ releases: [{ ...entry, kind: 'x' }] }), /kind is not a known kind/],
  ['a newer schema', '{"schema_version": 2, "releases": []}', /schema version 2; this program knows version 1/],
]

for (const [name, text, expected] of damaged) {
  test(`${name} is a failure that names the file`, () => {
    try {
      parseHistory(text, 'releases.json')
      assert.unreachable()
    } catch (error) {
      assert.instance(error, TaskFailure)
      assert.is((error as TaskFailure).failure.subject, 'releases.json')
      assert.match((error as TaskFailure).failure.message, expected)
    }
  })
}

test.run()
