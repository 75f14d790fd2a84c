/** What must not be shown of what hosts say: the same values that a deploy of this checkout hides. */
import { readFileSync } from 'node:fs'
import { kinds } from '../../tasks/index.ts'
import { dotenvNames, parseDotenv } from '../config/dotenv.ts'
import type { App } from '../contracts.ts'
import { deployTasks } from '../pipelines/deploy.ts'
import { type LoadedSecrets, loadSecrets } from '../secrets/secrets.ts'
import type { OpenDeployment } from '../session/open-deployment.ts'

export interface KnownSecrets extends LoadedSecrets {
  /** Declared, and without a value here: they cannot be hidden. Sorted. */
  readonly missing: readonly string[]
}

/** Tolerates what is not there. @throws TaskFailure for a secret's file that cannot be read. */
export async function knownSecrets({ deployment, directory, envFile }: OpenDeployment, app: Pick<App, 'env'>): Promise<KnownSecrets> {
  const envFileNames = envFile === undefined ? [] : dotenvNames(readFileSync(envFile, 'utf8'))
  const tasks = deployTasks(deployment, { version: '', envFileNames, buildArgs: {}, ignoreFiles: {} })
  const declared = tasks.flatMap(({ kind, params }) => kinds.get(kind)?.inputs?.(params).secrets ?? [])
  const secrets = await loadSecrets({
    ...(envFile === undefined ? {} : { envFile }),
    names: [...deployment.variables.secret, ...envFileNames, ...declared],
    processEnv: app.env,
    projectDirectory: directory,
    // Nothing is compared here.
    key: '',
    parseDotenv,
  })
  return { ...secrets, missing: secrets.names.filter((name) => secrets.digest(name) === 'absent') }
}
