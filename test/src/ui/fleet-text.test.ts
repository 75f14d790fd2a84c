import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Outcome, TaskId } from '../../../graph/types.ts'
import { type FleetEnd, fleetText } from '../../../src/ui/fleet-text.ts'
import { graphOf, resultOf, task } from '../../support/fake-run.ts'

const test = suite('ui/fleet-text')

const kinds: Readonly<Record<string, Outcome>> = {
  ran: { status: 'ran', result: resultOf(1), because: { reason: 'drift', detail: '' } },
  fresh: { status: 'skipped', result: resultOf(1), from: 'target' },
  failed: { status: 'failed', failure: { reason: 'unhealthy', subject: 's', message: 'm' } },
  canceled: { status: 'canceled', by: 'stop' },
}

/** `web@h1 ran`, in any order. */
function end(lines: readonly string[], more: Partial<FleetEnd> = {}): FleetEnd {
  const outcomes = lines.map((line) => {
    const [place = '', word = ''] = line.split(' ')
    return [(place.includes(':') ? place : `rollout:${place}`) as TaskId, kinds[word] as Outcome] as const
  })
  return { graph: graphOf(...outcomes.map(([id]) => task(id))), outcomes: new Map(outcomes), onFailure: 'rollback', ...more }
}
const ids = (...places: readonly string[]) => new Set(places.map((place) => `rollout:${place}` as TaskId))

for (const [title, given, expected] of [
  ['nothing was to be rolled', end(['build:web failed']), []],
  ['all that was swapped went back', end(['web@h1 ran', 'web@h2 failed'], { undone: ids('web@h1') }), ['h1, h2 run what they ran before']],
  [
    'hosts are held where they are',
    end(['web@h1 ran', 'web@h2 failed', 'web@h3 canceled'], { onFailure: 'hold' }),
    [
      'h1 runs the new web',
      'h2, h3 run what they ran before',
      'rollout.on_failure is hold: nothing was taken back',
      '`stagecraft deploy` goes on from here',
    ],
  ],
  [
    'one could not go back',
    end(['web@h1 ran', 'web@h2 ran', 'web@h3 failed', 'migrate_pre:main ran'], { undone: ids('web@h2'), stuck: ids('web@h1') }),
    [
      'h1 runs the new web',
      'h2, h3 run what they ran before',
      'migrations that this run applied stay applied',
      'not all of it could go back: `stagecraft deploy` brings the fleet forward again, once the cause is mended',
    ],
  ],
  [
    'a host is half-way',
    end(['api@h1 ran', 'web@h1 failed', 'db@h1 fresh']),
    ['h1 runs the new api, and the rest as before', '`stagecraft deploy` goes on from here'],
  ],
] as const) {
  test(`told when ${title}`, () => assert.equal(fleetText(given), expected))
}

test.run()
