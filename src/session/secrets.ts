/** The secrets of one run, and the project's key under which they are compared. */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { TaskId } from '../../graph/types.ts'
import { kinds } from '../../tasks/index.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import type { Secrets } from '../../tasks/ports.ts'
import { parseDotenv } from '../config/dotenv.ts'
import type { App } from '../contracts.ts'
import { adoptProjectKey, loadProjectKey } from '../secrets/project-key.ts'
import { loadSecrets } from '../secrets/secrets.ts'
import type { HostPool } from './hosts.ts'
import type { Project } from './open-project.ts'

/** On the primary host, beside the release history: whoever may deploy may also compare. */
const remoteKey = 'project.key'

export interface OpenSecrets {
  readonly port: Secrets
  redact(text: string): string
  /** Does text hold the value of one? */
  isIn(text: string): boolean
  /** Leaves the key on the primary host for other machines. Call under the lock. @throws TaskFailure when the host has another. */
  share(): Promise<void>
}

export interface SecretsAccess {
  /** False: no host may be asked. */
  readonly online: boolean
  /** False: no key is made; comparing then finds every secret changed, which is true of a checkout that never deployed. */
  readonly writes: boolean
}

/**
 * Without the key of those who deployed before, every service that uses a secret would look changed: a checkout that has no key
 * fetches it from the primary host, and only makes one when the host has none either.
 */
export async function openSecrets(project: Project, hosts: HostPool, app: App, { online, writes }: SecretsAccess): Promise<OpenSecrets> {
  const names = secretNames(project)
  const { primaryHost } = project.deployment
  const primary = primaryHost === undefined ? undefined : hosts.host(primaryHost)
  const key = names.length === 0 ? '' : await projectKey()
  const secrets = await loadSecrets({
    ...(project.envFile === undefined ? {} : { envFile: project.envFile }),
    names,
    processEnv: app.env,
    projectDirectory: project.directory,
    key,
    parseDotenv,
  })

  async function projectKey(): Promise<string> {
    let isKnown = Boolean(app.env['STAGECRAFT_PROJECT_KEY']) || existsSync(join(project.directory, '.stagecraft', 'project.key'))
    if (!isKnown && online && primary) {
      const fetched = await primary.files.read(remoteKey)
      const text = fetched && Buffer.from(fetched).toString('utf8').trim()
      if (text && !writes) return text
      if (text) await adoptProjectKey(project.directory, text)
      isKnown = Boolean(text)
    }
    if (!isKnown && !writes) return randomBytes(32).toString('hex')
    return loadProjectKey({ projectDirectory: project.directory, env: app.env })
  }

  return {
    port: secrets,
    redact: secrets.redact,
    isIn: secrets.isIn,
    async share() {
      if (names.length === 0 || !primary) return
      const there = await primary.files.read(remoteKey)
      if (there === undefined) return primary.files.write(remoteKey, Buffer.from(`${key}\n`), 0o600)
      if (Buffer.from(there).toString('utf8').trim() === key) return
      const given = app.env['STAGECRAFT_PROJECT_KEY'] === undefined ? 'remove .stagecraft/project.key' : 'unset STAGECRAFT_PROJECT_KEY'
      throw new TaskFailure({
        reason: 'refused',
        subject: primary.name,
        message: `this checkout and ${primary.name} compare secrets under different keys, so every service would seem to have changed`,
        remedy: `${given}, and deploy again: the key of the host is then used`,
      })
    },
  }
}

/** Every name a task of this project reads, as the kinds themselves declare it. */
function secretNames({ graph, deployment }: Project): readonly string[] {
  const declared = graph.order.flatMap((id: TaskId) => {
    const task = graph.task(id)
    return kinds.get(task.kind)?.inputs?.(task.params).secrets ?? []
  })
  // That after a failure is no task.
  const ofHooks = (deployment.hooks ?? []).flatMap(({ secrets }) => secrets)
  return [...new Set([...deployment.variables.secret, ...declared, ...ofHooks])].sort()
}
