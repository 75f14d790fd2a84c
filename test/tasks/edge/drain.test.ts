import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openConnections } from '../../../tasks/edge/drain.ts'

const test = suite('tasks/edge/drain')
const header = '  sl  local_address rem_address   st tx_queue\n'
const line = (remote: string, state: string) => `   0: 030012AC:A1B2 ${remote} ${state} 00000000:00000000 00:00000000\n`
const v6 = '0000000000000000FFFF0000020012AC:1F90'

for (const [title, table, expected] of [
  ['one that is open', header + line('020012AC:1F90', '01'), 1],
  ['one over IPv6', header + line(v6, '01'), 1],
  ['one that is closing', header + line('020012AC:1F90', '06'), 0],
  ['one to another container', header + line('040012AC:1F90', '01'), 0],
  ['a listening socket', header + line('00000000:0000', '0A'), 0],
  ['no table', 'cat: not found', undefined],
] as const) {
  test(`connections to a container: ${title}`, () => assert.is(openConnections(table, ['172.18.0.2']), expected))
}

test.run()
