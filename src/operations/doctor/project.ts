/** What is wrong with the manifest, the Compose file and the values an environment needs. */
import { stat } from 'node:fs/promises'
import { relative } from 'node:path'
import type { Diagnostic } from '../../../graph/types.ts'
import { type App, type GlobalOptions, InputError } from '../../contracts.ts'
import type { RunProcess } from '../../hosts/process.ts'
import { releaseVersion } from '../../release-version.ts'
import { type OpenDeployment, openDeployment } from '../../session/open-deployment.ts'
import { renderCount } from '../../ui/size.ts'
import { type KnownSecrets, knownSecrets } from '../known-secrets.ts'
import { type Check, Checks } from './check.ts'

export interface CheckedProject {
  readonly checks: readonly Check[]
  /** Undefined when the project cannot be opened. */
  readonly opened?: { readonly deployment: OpenDeployment; readonly secrets: KnownSecrets }
}

/** @param environment undefined when there is none to be told apart. */
export async function checkProject(
  environment: string | undefined,
  globals: GlobalOptions,
  app: App,
  run: RunProcess,
): Promise<CheckedProject> {
  const checks = new Checks(environment ?? 'project')
  try {
    const deployment = await openDeployment({ ...globals, ...(environment === undefined ? {} : { env: environment }) }, app)
    const { services, hosts, environment: name } = deployment.deployment
    for (const warning of deployment.warnings) checks.warn('manifest', diagnosticText(warning), hint(warning))
    checks.ok(
      'manifest',
      `${globals.config} and the Compose file: ${renderCount(services.length, 'service')} on ${renderCount(hosts.length, 'host')} in ${name}`,
    )
    const secrets = await knownSecrets(deployment, app)
    judgeSecrets(deployment, secrets, checks)
    await judgeEnvFile(deployment, run, app, checks)
    const { version } = releaseVersion(deployment.directory, undefined, app.env)
    if (version !== undefined) checks.ok('version', `the next release would be version ${version.slice(0, 40)}`)
    else checks.warn('version', 'the project has no version', 'commit it to git, or name one with `--version`')
    return { checks: checks.all, opened: { deployment, secrets } }
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    for (const diagnostic of error.diagnostics) {
      if (diagnostic.severity === 'warning') checks.warn('manifest', diagnosticText(diagnostic), hint(diagnostic))
      else checks.problem('manifest', diagnosticText(diagnostic), hint(diagnostic), 'input')
    }
    return { checks: checks.all }
  }
}

function judgeSecrets({ missingEnvFile }: OpenDeployment, { names, missing }: KnownSecrets, checks: Checks): void {
  if (missingEnvFile !== undefined) {
    checks.problem('env-file', `env_file \`${missingEnvFile}\` does not exist`, 'put it there, or name another in the manifest', 'input')
  }
  for (const name of missing) {
    const where = missingEnvFile === undefined ? 'the environment or the environment file' : `the environment, or in ${missingEnvFile}`
    checks.problem('secrets', `secret \`${name}\` is not set`, `set ${name} in ${where}`, 'input')
  }
  if (missing.length === 0 && names.length > 0) checks.ok('secrets', renderCount(names.length, 'secret is set', 'secrets are set'))
}

async function judgeEnvFile({ envFile, directory }: OpenDeployment, run: RunProcess, app: App, checks: Checks): Promise<void> {
  if (envFile === undefined) return
  const shown = relative(directory, envFile)
  const { mode } = await stat(envFile)
  if ((mode & 0o077) === 0) checks.ok('env-file', `${shown} can be read by you alone`)
  else checks.warn('env-file', `${shown} can be read by other users of this machine`, `chmod 600 ${shown}`)
  const tracked = await run(
    { argv: ['git', 'ls-files', '--error-unmatch', shown], cwd: directory, timeoutMs: 10_000 },
    { signal: app.signal },
  ).catch(() => undefined)
  if (tracked?.code === 0)
    checks.warn('env-file', `${shown} is kept in git: whoever has the repository has its secrets`, `git rm --cached ${shown}`)
}

function diagnosticText({ code, message, location }: Diagnostic): string {
  return `${location === undefined ? '' : `${location.file}:${location.line}: `}${message} (${code})`
}

function hint({ suggestion, notes }: Diagnostic): string | undefined {
  return suggestion === undefined ? notes?.map(({ message }) => message).join('; ') : `did you mean \`${suggestion}\`?`
}
