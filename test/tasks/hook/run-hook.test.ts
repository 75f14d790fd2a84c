import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runHook } from '../../../tasks/hook/run-hook.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import { rejects } from '../../support/assertions.ts'
import { HookRig, hookParamsOf } from '../../support/hook-rig.ts'
import { lockLost } from '../../support/rollout-rig.ts'

const test = suite('tasks/hook/run-hook')

const told = {
  STAGECRAFT_PROJECT: 'shop',
  STAGECRAFT_ENV: 'prod',
  STAGECRAFT_VERSION: 'v1',
  STAGECRAFT_RELEASE_ID: 'rel-1',
  STAGECRAFT_HOSTS: 'node-1 node-2',
  STAGECRAFT_PHASE: 'rollout',
  STAGECRAFT_STATUS: 'running',
  STAGECRAFT_HOOK: 'shop/prod after_rollout',
}

test('runs in the project folder with its time limit; what it did not name is withheld', async () => {
  const rig = new HookRig({ PATH: '/bin', LC_ALL: 'C', API_URL: 'there', HOME: '/h' }, { TOKEN: 'hunter2', OTHER: 'x' })
  await runHook(hookParamsOf({ env: ['API_*'], secrets: ['TOKEN'] }), rig.context())
  assert.equal(rig.requests, [
    {
      argv: ['sh', '-c', './smoke'],
      cwd: '/project',
      env: { PATH: '/bin', LC_ALL: 'C', API_URL: 'there', TOKEN: 'hunter2', ...told },
      timeoutMs: 60_000,
    },
  ])
  assert.equal(rig.host.calls, [])
})

test('what it is told of the deploy wins over this machine, and the caller over both', async () => {
  const rig = new HookRig({ STAGECRAFT_ENV: 'planted', STAGECRAFT_REASON: 'planted' })
  await runHook(hookParamsOf({ env: ['STAGECRAFT_*'] }), rig.context(), {
    STAGECRAFT_REASON: 'web: unhealthy',
    STAGECRAFT_STATUS: 'failed',
  })
  assert.equal(rig.requests[0]?.env, { ...told, STAGECRAFT_STATUS: 'failed', STAGECRAFT_REASON: 'web: unhealthy' })
})

test('a run that makes no release has no id to tell', async () => {
  const rig = new HookRig()
  rig.releaseId = 'unreleased'
  await runHook(hookParamsOf(), rig.context())
  assert.not.ok('STAGECRAFT_RELEASE_ID' in (rig.requests[0]?.env ?? {}))
})

const actions = { GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'a/b', GITHUB_RUN_ID: '7' }
const urls: readonly [name: string, env: Record<string, string>, url: string | undefined][] = [
  ['GitHub, of three variables', actions, 'https://github.com/a/b/actions/runs/7'],
  ['not GitHub when one of them is missing', { ...actions, GITHUB_RUN_ID: '' }, undefined],
  ['GitLab', { CI_PIPELINE_URL: 'https://gitlab/1' }, 'https://gitlab/1'],
  ['an empty one is none', { CI_PIPELINE_URL: '', BUILD_URL: 'https://jenkins/2' }, 'https://jenkins/2'],
  ['Buildkite', { BUILDKITE_BUILD_URL: 'https://bk/3' }, 'https://bk/3'],
  ['CircleCI', { CIRCLE_BUILD_URL: 'https://circle/4' }, 'https://circle/4'],
  ['no CI', {}, undefined],
]
for (const [name, env, url] of urls) {
  test(`the address of the CI run: ${name}`, async () => {
    const rig = new HookRig(env)
    await runHook(hookParamsOf(), rig.context())
    assert.is(rig.requests[0]?.env['STAGECRAFT_RUN_URL'], url)
  })
}

test('a code or a signal fails it, named by its point', async () => {
  const rig = new HookRig()
  for (const [end, message] of [
    [{ code: 2 }, '`./smoke` exited with code 2'],
    [{ code: 139, signal: 'SIGSEGV' }, '`./smoke` was ended by SIGSEGV'],
  ] as const) {
    rig.program = async () => end
    const error = await rejects(runHook(hookParamsOf(), rig.context()))
    assert.equal((error as TaskFailure).failure, { reason: 'exit', subject: 'hook after_rollout', message })
  }
})

const failureWith = (reason: 'timeout' | 'interrupted' | 'refused') =>
  new TaskFailure({ reason, subject: 'x', message: `it was ${reason}` })

for (const reason of ['timeout', 'refused'] as const) {
  test(`on_failure: warn forgives what the command did: ${reason}`, async () => {
    const rig = new HookRig()
    rig.program = async () => {
      throw failureWith(reason)
    }
    await runHook(hookParamsOf({ onFailure: 'warn' }), rig.context())
    assert.equal(rig.lines, [`warning: it was ${reason}; on_failure is warn, so the deploy goes on`])
    await rejects(runHook(hookParamsOf(), rig.context()), new RegExp(`^it was ${reason}$`))
  })
}

test('on_failure: warn forgives neither an interrupt, nor an abort, nor a bug', async () => {
  const rig = new HookRig()
  const params = hookParamsOf({ onFailure: 'warn' })
  for (const error of [failureWith('interrupted'), new Error('a bug')]) {
    rig.program = async () => {
      throw error
    }
    assert.is(await rejects(runHook(params, rig.context())), error)
  }
  rig.program = async () => {
    rig.controller.abort()
    return { code: 1 }
  }
  await rejects(runHook(params, rig.context()), /exited with code 1/)
  assert.equal(rig.lines, [])
})

test('with the lock lost it does not begin, and warn does not forgive that; one without the lock does not ask', async () => {
  const rig = new HookRig()
  rig.guard = async () => {
    throw lockLost()
  }
  await rejects(runHook(hookParamsOf({ onFailure: 'warn' }), rig.context()), /lost the lock/)
  assert.equal(rig.requests, [])
  await runHook(hookParamsOf({ locked: false }), rig.context())
  assert.is(rig.requests.length, 1)
})

test('a secret that is not set is named before anything starts', async () => {
  const rig = new HookRig()
  await rejects(runHook(hookParamsOf({ secrets: ['TOKEN'] }), rig.context()), /TOKEN is not set/)
  assert.equal(rig.requests, [])
})

test.run()
