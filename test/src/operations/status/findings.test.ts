import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type DriftKind, findDrift, type LookedContainer } from '../../../../src/operations/status/findings.ts'
import type { ContainerDetail } from '../../../../tasks/ports.ts'

const test = suite('src/operations/status/findings')

const nowMs = Date.parse('2026-01-09T00:00:00Z')
const wanted = { name: 'api', hash: 'new', image: 'api:1', replicas: 2, restart: 'always' }
const detail: ContainerDetail = {
  state: 'running',
  health: 'none',
  exitCode: 0,
  oomKilled: false,
  restartCount: 0,
  restartPolicy: 'always',
  anonymousVolumes: [],
  error: '',
  healthLog: [],
  addresses: [],
}
const container = (name: string, change: Partial<LookedContainer> = {}, more: Partial<ContainerDetail> = {}): LookedContainer => ({
  ...{ id: name, name, service: 'api', hash: 'new', image: 'api:1', state: 'running', health: 'none', ports: [] },
  detail: { ...detail, ...more },
  ...change,
})
const [one, two] = [container('api-1'), container('api-2')]

const rows: readonly [string, readonly LookedContainer[], readonly [DriftKind, RegExp][]][] = [
  ['all as released', [one, two], []],
  ['healthy ones too', [container('api-1', { health: 'healthy' }), two], []],
  ['nothing there', [], [['missing', /no container of api is there: 2 are wanted/]]],
  ['one removed by hand', [one], [['replicas', /^1 of 2 replicas runs$/]]],
  ['one too many', [one, two, container('api-3')], [['replicas', /^3 replicas run, 2 are wanted$/]]],
  [
    'one stopped by hand',
    [one, container('api-2', { state: 'exited' }, { exitCode: 137 })],
    [
      ['replicas', /1 of 2/],
      ['stopped', /api-2 was stopped by hand \(exit code 137\)/],
    ],
  ],
  [
    'one that ended by itself',
    [one, container('api-2', { state: 'exited' }, { exitCode: 3, restartPolicy: 'on-failure' })],
    [
      ['replicas', /1 of 2/],
      ['exited', /api-2 has ended \(exit code 3\)/],
    ],
  ],
  [
    'one that could not start',
    [one, container('api-2', { state: 'exited' }, { error: 'port is already allocated' })],
    [
      ['replicas', /1 of 2/],
      ['exited', /port is already allocated/],
    ],
  ],
  [
    'out of memory',
    [one, container('api-2', { state: 'exited' }, { exitCode: 137, oomKilled: true, restartPolicy: 'no' })],
    [
      ['replicas', /1 of 2/],
      ['exited', /out of memory/],
    ],
  ],
  ['unhealthy', [one, container('api-2', { health: 'unhealthy' })], [['unhealthy', /api-2 is unhealthy/]]],
  ['not healthy yet', [one, container('api-2', { health: 'starting' })], [['starting', /not been healthy yet/]]],
  [
    'restarting over and over',
    [one, container('api-2', { state: 'restarting' }, { exitCode: 1 })],
    [
      ['replicas', /1 of 2/],
      ['restarting', /over and over \(exit code 1\)/],
    ],
  ],
  [
    'between two restarts',
    [one, container('api-2', {}, { restartCount: 4, startedAt: '2026-01-08T23:59:50Z' })],
    [['restarting', /restarted 4 times, the last time just now/]],
  ],
  ['restarted long ago', [one, container('api-2', {}, { restartCount: 4, startedAt: '2026-01-08T12:00:00Z' })], []],
  [
    'paused',
    [one, container('api-2', { state: 'paused' })],
    [
      ['replicas', /1 of 2/],
      ['paused', /is paused/],
    ],
  ],
  [
    'made and not started',
    [one, container('api-2', { state: 'created' })],
    [
      ['replicas', /1 of 2/],
      ['not-started', /made and not started/],
    ],
  ],
  ['another definition beside them', [one, two, container('api-0', { hash: 'old' })], [['definition', /api-0 runs another definition/]]],
  [
    'a stopped one of another release',
    [one, two, container('api-0', { hash: 'old', state: 'exited' })],
    [['left-over', /api-0 \(exited\)/]],
  ],
  ['one without its restart policy', [one, container('api-2', {}, { restartPolicy: 'no' })], [['unsettled', /cut off/]]],
]
for (const [name, containers, expected] of rows) {
  test(name, () => {
    const found = findDrift(wanted, containers, { nowMs, isDeploying: false })
    assert.equal(
      found.map(({ kind }) => kind),
      expected.map(([kind]) => kind),
    )
    for (const [index, [, pattern]] of expected.entries()) assert.match(found[index]?.detail ?? '', pattern)
  })
}

test('while a run is at work, a container without its restart policy is not left behind', () => {
  assert.equal(findDrift(wanted, [one, container('api-2', {}, { restartPolicy: 'no' })], { nowMs, isDeploying: true }), [])
})

test('a service that may not come back by itself is not missed for its policy', () => {
  assert.equal(
    findDrift({ ...wanted, replicas: 1, restart: 'no' }, [container('api-1', {}, { restartPolicy: 'no' })], { nowMs, isDeploying: false }),
    [],
  )
})

test('what the release does not have is an orphan, whatever it does', () => {
  const found = findDrift(undefined, [one, container('api-2', { state: 'exited' })], { nowMs, isDeploying: false })
  assert.equal(
    found.map(({ kind }) => kind),
    ['orphan', 'orphan'],
  )
})

test('a service wanted nowhere here and not there is as wanted', () => {
  assert.equal(findDrift({ ...wanted, replicas: 0 }, [], { nowMs, isDeploying: false }), [])
})

test.run()
