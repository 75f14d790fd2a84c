import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { digestOfJson } from '../../../graph/fingerprint.ts'
import type { Json } from '../../../graph/types.ts'
import { readSavedPlan, renderSavedPlan } from '../../../src/plans/saved-plan.ts'
import { savedPlan } from '../../support/saved-plan.ts'

const test = suite('src/plans/saved-plan')
const text = renderSavedPlan(savedPlan(), (line) => line)

test('what is written is read again, whole, and is the same bytes for the same plan', () => {
  assert.equal(readSavedPlan(text), { ok: true, plan: savedPlan() })
  assert.is(
    renderSavedPlan(savedPlan(), (line) => line),
    text,
  )
  assert.match(text, /\n$/)
})

test('secrets are redacted before the digest is made', () => {
  const redacted = renderSavedPlan(savedPlan(), (line) => line.replaceAll('exited', '***'))
  assert.not.match(redacted, 'exited')
  assert.ok(readSavedPlan(redacted).ok)
})

/** A plan with a digest that fits, as somebody who knows how might write it. */
function forged(change: (plan: Record<string, Json>) => void): string {
  const { digest: _, ...plan } = JSON.parse(text) as Record<string, Json>
  change(plan)
  return JSON.stringify({ ...plan, digest: digestOfJson(plan) })
}

const refused: readonly [string, string, string, RegExp][] = [
  ['no JSON', 'plan', 'no-plan', /^is no plan: it is not valid JSON$/],
  ['no object', 'null', 'no-plan', /stagecraft plan --out FILE/],
  ['what `plan --format json` prints', '{"schema_version": 1, "env": "prod"}', 'no-plan', /stagecraft plan --out FILE/],
  [
    'another version',
    text.replace('"schema_version": 1', '"schema_version": 2'),
    'version',
    /has schema version 2; this program reads version 1/,
  ],
  ['a changed byte', text.replace('"state": "run"', '"state": "fresh"'), 'changed', /was changed after it was written/],
  ['no digest', text.replace(/,\n {2}"digest": ".*"/, ''), 'changed', /was changed/],
  ['an unknown member', forged((plan) => (plan['mine'] = 1)), 'changed', /not as this program writes it/],
  ['a member of another type', forged((plan) => (plan['tasks'] = 'all')), 'changed', /not as this program writes it/],
]

for (const [name, given, problem, why] of refused) {
  test(`refused: ${name}`, () => {
    const read = readSavedPlan(given)
    assert.not.ok(read.ok)
    if (read.ok) return
    assert.is(read.problem, problem)
    assert.match(read.why, why)
  })
}

test.run()
