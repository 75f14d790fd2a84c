/** A failure at each of the six positions: executor, recorder, history file and exit code as a deploy puts them together. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Phase, phases } from '../../../graph/types.ts'
import { exitCodes } from '../../../src/contracts.ts'
import { createRecorder } from '../../../src/releases/recorder.ts'
import { overallStatus } from '../../../src/releases/release.ts'
import { createReleaseStore } from '../../../src/releases/store.ts'
import { exitCodeOf } from '../../../src/session/exit-code.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import { graphOf, kind, resultOf, rig, task } from '../../support/fake-run.ts'
import { inTemporaryDirectory } from '../../support/temporary-directory.ts'

const test = suite('src/releases/phase-failures')

const idOf = (phase: Phase) => `${phase}:${phase === 'rollout' ? 'web@node-1' : 'shop'}`
const graph = graphOf(...phases.map((phase, index) => task(idOf(phase), { after: phases.slice(0, index).map(idOf) })))

/** One task of each phase, each after those before it; that of `broken` fails. */
async function deploy(directory: string, broken: Phase | undefined) {
  const ran: string[] = []
  const kinds = phases.map((phase) =>
    kind(phase, {
      phase,
      run: async () => {
        ran.push(phase)
        if (phase === broken) throw new TaskFailure({ reason: 'refused', subject: phase, message: 'no' })
        return resultOf(phase)
      },
    }),
  )
  const store = createReleaseStore({ projectDirectory: directory, env: {} })
  const recorder = await createRecorder({
    store,
    kind: 'deploy',
    environment: 'prod',
    version: 'v2',
    commitSha: '9f1c',
    tasks: graph.order.map((id) => graph.task(id)),
    phaseOf: (one) => phases.find((phase) => phase === one.kind),
    now: () => new Date('2026-01-02T03:04:05.678Z'),
    onFailure: (failure) => {
      throw failure
    },
  })
  const outcomes = await rig(kinds).run(graph, { on: (event) => recorder.on(event) })
  await recorder.finish(outcomes)
  return { ran, code: exitCodeOf(outcomes, false), releases: await store.read() }
}

for (const [position, broken] of phases.entries()) {
  test(`${broken} fails: what was before it is completed, what is after it is skipped and never ran, and the exit code is 2`, () =>
    inTemporaryDirectory(async (directory) => {
      const { ran, code, releases } = await deploy(directory, broken)
      assert.equal(ran, phases.slice(0, position + 1))
      assert.is(code, exitCodes.world)
      const [release] = releases
      assert.is(releases.length, 1)
      assert.equal(
        phases.map((phase) => release?.phases[phase]),
        phases.map((_, index) => (index < position ? 'completed' : index === position ? 'failed' : 'skipped')),
      )
      assert.equal(release?.phase_details?.[broken], { error: `${broken}: no`, error_class: 'refused' })
      for (const later of phases.slice(position + 1)) assert.is(release?.phase_details?.[later]?.reason, 'upstream_failed')
      assert.is(release && overallStatus(release), 'failed')
      assert.ok(release?.finished)
    }))
}

test('nothing fails: all six are completed, and the exit code is 0', () =>
  inTemporaryDirectory(async (directory) => {
    const { ran, code, releases } = await deploy(directory, undefined)
    assert.equal(ran, phases)
    assert.is(code, exitCodes.done)
    assert.equal(
      Object.values(releases[0]?.phases ?? {}),
      phases.map(() => 'completed'),
    )
    assert.is(releases[0] && overallStatus(releases[0]), 'completed')
  }))

test.run()
