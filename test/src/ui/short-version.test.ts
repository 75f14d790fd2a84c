import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { shortVersion } from '../../../src/ui/short-version.ts'

const test = suite('src/ui/short-version')
const commit = '519843e8e386657d3e7adc941671b5c82eed34ad'

for (const [version, shown] of [
  [commit, '519843e8e386'],
  [`${commit}-dirty`, '519843e8e386-dirty'],
  [`${commit}-rc1`, `${commit}-rc1`],
  [`${commit}0`, `${commit}0`],
  ['v1.4.0', 'v1.4.0'],
  ['a-branch-with-a-long-name', 'a-branch-with-a-long-name'],
] as const) {
  test(`\`${version}\` is shown as \`${shown}\``, () => assert.is(shortVersion(version), shown))
}

test.run()
