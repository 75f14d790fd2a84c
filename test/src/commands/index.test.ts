import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { globalFlags } from '../../../src/cli/global-options.ts'
import { flagsOf } from '../../../src/cli/schema-flags.ts'
import { commands } from '../../../src/commands/index.ts'
import { stagecraft } from '../../support/cli.ts'

const test = suite('src/commands/index')

for (const [name, entry] of Object.entries(commands)) {
  test(`the module of \`${name}\` agrees with its line, and its help can be printed`, async () => {
    const module = await entry.load()
    assert.is(module.summary, entry.summary)
    assert.match(module.feature, /^[A-Z][A-Z_]+$/)
    const own = flagsOf(module.options).map((flag) => flag.name)
    assert.equal(
      own.filter((flag) => globalFlags.some((shared) => shared.name === flag)),
      [],
    )
    for (const example of module.examples ?? []) assert.match(example, new RegExp(`stagecraft (.* )?${name}\\b`))
    assert.match((await stagecraft([...name.split(' '), '--help'])).stdout, new RegExp(`^Usage: stagecraft ${name}`))
  })
}

test('every file of the folder has a line', () => {
  const folder = fileURLToPath(new URL('../../../src/commands', import.meta.url))
  const files = readdirSync(folder).filter((file) => /^[^.]+\.js$/.test(file) && file !== 'index.js')
  const expected = Object.keys(commands).map((name) => `${name.replaceAll(' ', '-')}.js`)
  assert.equal(files.sort(), expected.sort())
})

test.run()
