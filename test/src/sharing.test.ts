import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Action } from '../../graph/types.ts'
import { isShared } from '../../src/sharing.ts'
import { kinds } from '../../tasks/index.ts'

const test = suite('sharing')

const action = (secrets: Record<string, string> = {}): Action => ({
  kind: '',
  version: 1,
  params: {},
  env: {},
  secrets,
  files: {},
  needs: {},
})

test('of all kinds, only what follows from its fingerprint alone is shared', () => {
  const shared = [...kinds.values()].filter((kind) => isShared(kind, action())).map(({ name }) => name)
  assert.equal(shared.sort(), ['exec', 'render', 'stack'])
  for (const kind of kinds.values()) if (kind.freshness !== 'content') assert.not(isShared(kind, action()), kind.name)
})

test('who was given the value of a secret shares nothing; who was given its digest may', () => {
  const shared = [...kinds.values()].filter((kind) => isShared(kind, action({ TOKEN: 'digest' }))).map(({ name }) => name)
  assert.equal(shared, ['render', 'stack'])
})

test.run()
