import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { run } from '../../../src/commands/graph.ts'
import { InputError } from '../../../src/contracts.ts'
import { rejects } from '../../support/assertions.ts'
import { globals, testApp } from '../../support/test-app.ts'

const test = suite('src/commands/graph')

test('a page is not printed on a terminal, whatever the project is', async () => {
  const { app, stdout } = testApp('/nowhere')
  const terminal = { ...app, stdout: Object.assign(app.stdout, { isTTY: true }) }
  const error = await rejects(run({ target: [], format: 'html', online: false, kinds: false }, globals, terminal), /--out graph\.html/)
  assert.instance(error, InputError)
  assert.is(stdout(), '')
})

test.run()
