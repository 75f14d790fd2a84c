/** What a hook learns of the deploy it belongs to. */
import type { TaskContext } from '../kind.ts'
import type { HookParams } from './params.ts'

/** Set in every hook: how a `stagecraft` that is started in one knows. `<project>/<environment> <point>`. */
export const insideHook = 'STAGECRAFT_HOOK'

/** Variables in which CI systems give the address of the run; `*` none. */
const runUrls = ['CI_PIPELINE_URL', 'BUILD_URL', 'BUILDKITE_BUILD_URL', 'CIRCLE_BUILD_URL']
const github = ['GITHUB_SERVER_URL', 'GITHUB_REPOSITORY', 'GITHUB_RUN_ID']

export async function hookVariables(params: HookParams, { ports, scope }: TaskContext): Promise<Record<string, string>> {
  const release = await ports.release.id()
  const url = runUrl(ports.environment.matching([...runUrls, ...github]))
  return {
    STAGECRAFT_PROJECT: scope.project,
    STAGECRAFT_ENV: scope.environment,
    STAGECRAFT_VERSION: scope.version,
    // A run of less than a deploy makes no release.
    ...(release === 'unreleased' ? {} : { STAGECRAFT_RELEASE_ID: release }),
    STAGECRAFT_HOSTS: params.hosts.join(' '),
    STAGECRAFT_PHASE: params.around,
    STAGECRAFT_STATUS: params.status,
    ...(url === undefined ? {} : { STAGECRAFT_RUN_URL: url }),
    [insideHook]: `${scope.project}/${scope.environment} ${params.point}`,
  }
}

function runUrl(found: Readonly<Record<string, string>>): string | undefined {
  const [server, repository, run] = github.map((name) => found[name])
  if (server && repository && run) return `${server}/${repository}/actions/runs/${run}`
  return runUrls.map((name) => found[name]).find((url) => url !== undefined && url !== '')
}
