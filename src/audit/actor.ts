/** Who runs this, for whoever reads it later. */
import { hostname } from 'node:os'
import { localUser } from '../hosts/local-user.ts'
import type { Actor } from './chain.ts'

type Variables = Readonly<Record<string, string | undefined>>

/** Variables that CI systems document: who pushed, and where the run can be looked at. */
const users = ['GITHUB_ACTOR', 'GITLAB_USER_LOGIN', 'BUILDKITE_BUILD_CREATOR', 'CIRCLE_USERNAME', 'BUILD_USER_ID']
const runs = ['CI_JOB_URL', 'BUILDKITE_BUILD_URL', 'CIRCLE_BUILD_URL', 'BUILD_URL', 'CI_PIPELINE_URL']

export function actorOf(env: Variables): Actor {
  const first = (names: readonly string[]) => names.map((name) => env[name]).find((value) => value !== undefined && value !== '')
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run } = env
  const isCi = env['CI'] !== undefined && env['CI'] !== '' && env['CI'] !== 'false'
  const ci = server && repository && run ? `${server}/${repository}/actions/runs/${run}` : (first(runs) ?? (isCi ? 'a CI run' : undefined))
  const user = (ci === undefined ? undefined : first(users)) ?? localUser(env)
  return { user, machine: hostname(), ...(ci === undefined ? {} : { ci }) }
}
