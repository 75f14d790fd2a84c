import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { options, run } from '../../../src/commands/rollback.ts'
import { InputError } from '../../../src/contracts.ts'
import { rejects } from '../../support/assertions.ts'
import { globals, testApp } from '../../support/test-app.ts'

const test = suite('src/commands/rollback')

/** Codes of why it was refused, before anything was opened. */
async function refused(given: Record<string, unknown>): Promise<InputError> {
  const error = await rejects(run(options.parse(given), { ...globals, env: 'prod' }, testApp('/nowhere').app))
  assert.instance(error, InputError)
  return error as InputError
}

test('without a target: the three flags are named', async () => {
  const { diagnostics } = await refused({})
  assert.is(diagnostics[0]?.code, 'SC3150')
  for (const flag of ['--to-previous', '--to-release', '--to-version']) assert.ok(diagnostics[0]?.message.includes(flag))
})

for (const given of [
  { toPrevious: true, toRelease: 'rel-1' },
  { toRelease: 'rel-1', to: 'rel-2' },
  { to: 'rel-1', toVersion: 'v1' },
  { toPrevious: true, toRelease: 'rel-1', toVersion: 'v1' },
]) {
  test(`more than one target: ${Object.keys(given).join(', ')}`, async () => {
    const { diagnostics } = await refused(given)
    assert.equal([diagnostics[0]?.code, /once/.test(diagnostics[0]?.message ?? '')], ['SC3150', true])
  })
}

test.run()
