import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { actorOf } from '../../../src/audit/actor.ts'

const test = suite('src/audit/actor')

const cases: readonly (readonly [title: string, env: Record<string, string>, user: string | undefined, ci: string | undefined])[] = [
  ['a person', {}, undefined, undefined],
  [
    'GitHub',
    { CI: 'true', GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'acme/shop', GITHUB_RUN_ID: '7', GITHUB_ACTOR: 'anna' },
    'anna',
    'https://github.com/acme/shop/actions/runs/7',
  ],
  [
    'GitLab',
    { CI: 'true', CI_JOB_URL: 'https://gitlab.example/-/jobs/7', GITLAB_USER_LOGIN: 'ben' },
    'ben',
    'https://gitlab.example/-/jobs/7',
  ],
  ['Jenkins', { BUILD_URL: 'https://ci.example/job/7' }, undefined, 'https://ci.example/job/7'],
  ['some other CI', { CI: '1' }, undefined, 'a CI run'],
  ['no CI after all', { CI: 'false', GITHUB_ACTOR: 'anna' }, undefined, undefined],
]

for (const [title, env, user, ci] of cases) {
  test(title, () => {
    const actor = actorOf(env)
    assert.is(actor.user, user ?? actorOf({}).user)
    assert.is(actor.ci, ci)
    assert.ok(actor.machine.length > 0)
  })
}

test.run()
