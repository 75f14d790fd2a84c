import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { stagecraft } from '../../support/cli.ts'

const test = suite('src/commands/version')

test('prints name and version', async () => {
  const result = await stagecraft(['version'])
  assert.equal([result.code, result.stderr], [0, ''])
  assert.match(result.stdout, /^stagecraft \d+\.\d+\.\d+\S*\n$/)
  assert.is(result.stdout, (await stagecraft(['--version'])).stdout)
})

test('--verbose adds what a bug report needs', async () => {
  const { stdout } = await stagecraft(['version', '--verbose'])
  assert.match(stdout, new RegExp(`\\nnode ${process.versions.node}\\nplatform ${process.platform}-${process.arch}\\n$`))
})

test.run()
