/** The shell's own contracts: what `config/` yields, what the executor tells, what a command is. */
import type { z } from 'zod'
import type { Diagnostic, Explanation, JsonObject, Location, Outcome, Skipped, Task, TaskId } from '../graph/types.ts'

// --- what a checked manifest and Compose file resolve to for one environment ---------------------------------------

/** One environment of one project, everything defaulted and cross-checked: all that pipelines need. Holds no secret's value. */
export interface Deployment {
  readonly project: string
  readonly environment: string
  /** `<project>-<environment>`: the Compose project's name on hosts. */
  readonly composeProject: string
  /** Registry reference without scheme or tag; images are `<registry>/<service>`. */
  readonly registry?: string
  /** Absolute folder on hosts: `/opt/stagecraft/<project>/<environment>`. */
  readonly directory: string
  /** Sorted by name. Empty for a local environment. */
  readonly hosts: readonly HostAddress[]
  /** Keeps the release history and is where one-off work runs. */
  readonly primaryHost?: string
  /** Sorted by name. */
  readonly services: readonly Service[]
  readonly databases: readonly DatabaseTarget[]
  /** Compose's top-level `networks`, `volumes`, `configs`, `secrets` and `x-*`, not interpolated. */
  readonly compose: { readonly file: string; readonly topLevel: JsonObject }
  readonly variables: Variables
  /** Path of OpenSSH known_hosts files, project-relative or absolute, first match wins. */
  readonly knownHosts: readonly string[]
  /** How hosts follow each other. */
  readonly fleet: FleetPolicy
  /** By host, what its services need to find those on other hosts and those that somebody else runs. */
  readonly reach?: Readonly<Record<string, HostReach>>
  /** Commands before and after parts of a deploy, sorted by point; none when there are none. */
  readonly hooks?: readonly Hook[]
}

/** A command of the user's at a point of a deploy. */
export interface Hook {
  /** `before_rollout`, `after_build:api`. */
  readonly point: string
  readonly side: 'before' | 'after'
  /** A kind of task; `deploy` for all of them, `failure` for a deploy that failed. */
  readonly around: string
  /** Of the task it stands around, when it is about one: `api`, `web@node-1`. */
  readonly subject?: string
  readonly command: readonly string[]
  /** The service in a one-off container of which it runs; undefined: on this machine. */
  readonly on?: string
  readonly env: readonly string[]
  readonly secrets: readonly string[]
  readonly timeoutMs: number
  readonly onFailure: 'fail' | 'warn'
  readonly origin?: Location
}

export interface FleetPolicy {
  /** Rolled alone before the others: a host's name, or false for nobody. Undefined: of each service the first host by name. */
  readonly canary?: string | false
  /** Hosts of a service rolled at a time after the canary: a number, or a share such as `50%`. Undefined: all. */
  readonly batch?: number | string
  /** What becomes of hosts that were swapped in a run that fails. */
  readonly onFailure: 'rollback' | 'hold' | 'continue'
}

export interface HostReach {
  /** `<SERVICE>_HOST`, `<SERVICE>_PORT`, `<SERVICE>_URL`: those that something on the host uses. */
  readonly variables: Readonly<Record<string, string>>
  /** By service on the host: names of services on other hosts, and the addresses they lead to. */
  readonly names: Readonly<Record<string, Readonly<Record<string, string>>>>
}

export interface HostAddress {
  readonly name: string
  readonly address: string
  /** Where other hosts reach it, when that is another address. */
  readonly privateAddress?: string
  /** Undefined: what ~/.ssh/config says, else the default. */
  readonly user?: string
  readonly port?: number
  readonly identityFile?: string
  readonly roles: readonly string[]
  readonly origin?: Location
}

export interface Service {
  readonly name: string
  /** Names of hosts it runs on, sorted. */
  readonly hosts: readonly string[]
  /** As the manifest says: it decides the tier. */
  readonly role?: string
  readonly replicas: number
  /** How its image is made, when it is ours to make. */
  readonly build?: ImageBuild
  /** The Compose service as the user wrote it (anchors and merge keys resolved, `build` left out), not interpolated. */
  readonly definition: JsonObject
  /** Services that must be up before it, on the same host where they are there too, sorted. */
  readonly dependsOn: readonly string[]
  readonly health?: HealthProbe
  readonly rollout: RolloutPolicy
  readonly origin?: Location
}

export interface ImageBuild {
  /** Reference without tag: `<registry>/<service>` or `<project>-<service>`. */
  readonly repository: string
  /** Project-relative. */
  readonly context: string
  readonly dockerfile: string
  readonly target?: string
  /** Values not interpolated. */
  readonly args: Readonly<Record<string, string>>
  readonly platforms: readonly string[]
  /** Secret id → where its value comes from. */
  readonly secrets: Readonly<Record<string, { readonly environment: string } | { readonly file: string }>>
  readonly ssh: readonly string[]
  readonly additionalContexts: Readonly<Record<string, string>>
  readonly cacheFrom: readonly string[]
  readonly labels: Readonly<Record<string, string>>
}

export interface HealthProbe {
  readonly path: string
  readonly port: number
  readonly expectedStatus: number
}

export interface RolloutPolicy {
  readonly driver: 'native' | 'docker-rollout' | 'recreate'
  /** `stop-first` for what cannot run twice; `reason` says why, for the plan. */
  readonly order: 'start-first' | 'stop-first'
  readonly reason?: string
  /** How long a container may take to become ready. */
  readonly timeoutSeconds: number
  /** How long a container without a healthcheck must stay up. */
  readonly minReadySeconds: number
  /** `stop_grace_period` of the service, else 10. */
  readonly stopGraceSeconds: number
}

export interface DatabaseTarget {
  readonly name: string
  /** Variable that holds the connection string; always treated as a secret. */
  readonly connectionEnv: string
  readonly engine: 'raw'
  /** Project-relative folder of migrations. */
  readonly path: string
  readonly strategy: 'pre_deploy' | 'post_deploy' | 'manual'
  readonly ledgerTable: string
  /** The Compose service it runs in, when it is one of ours: rolled before migrations, reached through its host. */
  readonly service?: string
  /** How to reach it: from this machine, or through a host's SSH connection. */
  readonly via: 'direct' | { readonly host: string }
}

/** Names only know their kind; the values of secrets live in `Secrets`. */
export interface Variables {
  /** Plain values from the manifest (`variables`, and the UPPER_SNAKE environment keys). */
  readonly plain: Readonly<Record<string, string>>
  /** Names whose values come from the environment file or from `connection_env`: secret. Sorted. */
  readonly secret: readonly string[]
  /** Project-relative dotenv file on this machine, given to services we build. */
  readonly envFile?: string
  /** Absolute path on the host, kept as an `env_file:` reference. */
  readonly hostEnvFile?: string
}

// --- running --------------------------------------------------------------------------------------------------------

export type RunEvent = { readonly task: Task; readonly at: number } & (
  | { readonly type: 'started'; readonly because: Explanation }
  /** `replayed`: printed when the task ran before, and shown again. */
  | { readonly type: 'output'; readonly line: string; readonly replayed?: true }
  | { readonly type: 'finished'; readonly outcome: Outcome }
)

/** Asking twice runs once: listr2 and a plain loop drive the same Run. */
export interface Run {
  /** True when the task starts to run, false when it was skipped or canceled: settles before `outcome`. */
  starts(id: TaskId): Promise<boolean>
  outcome(id: TaskId): Promise<Outcome>
}

/** What a plan says of a task, nothing having been touched. */
export type Prediction =
  | { readonly state: 'fresh'; readonly detail: string; readonly how?: Exclude<Skipped, 'restored'> }
  /** `restoredFrom`: it need not run after all, its outputs are put back from there. */
  | { readonly state: 'run'; readonly because: Explanation; readonly restoredFrom?: 'local' | 'remote' }
  /** A need's result is not known yet; it runs unless that result turns out the same. */
  | { readonly state: 'may-run'; readonly waitsFor: TaskId }
  | { readonly state: 'unknown'; readonly message: string }

// --- commands -------------------------------------------------------------------------------------------------------

/** What a command gets instead of globals. */
export interface App {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: NodeJS.ReadStream
  /** The result, and nothing else. */
  readonly stdout: NodeJS.WriteStream
  /** Progress, logs, prompts, errors. */
  readonly stderr: NodeJS.WriteStream
  readonly signal: AbortSignal
  now(): Date
}

/** Options every command has (CLI_GLOBAL_FLAGS): flag, then environment variable, then default. */
export interface GlobalOptions {
  readonly config: string
  readonly env?: string
  readonly verbose: boolean
  readonly quiet: boolean
  readonly dryRun: boolean
  readonly color?: boolean
}

/** One object gives the flags, the help and the type. Positional arguments are the members of `arguments`, in order. */
export interface CommandModule<A extends z.ZodObject = z.ZodObject, O extends z.ZodObject = z.ZodObject> {
  readonly summary: string
  /** Id in spec/features.yaml. */
  readonly feature: string
  readonly arguments?: A
  readonly options: O
  /** Shown at the end of `--help`; each is a real command line. */
  readonly examples?: readonly string[]
  /** Words that may stand for a positional argument, for shell completion. May throw: then nothing is offered. */
  complete?(globals: Pick<GlobalOptions, 'config' | 'env'>, app: App): Promise<readonly string[]>
  run(input: z.infer<A> & z.infer<O>, globals: GlobalOptions, app: App): Promise<ExitCode>
}

/** Ruling 3. */
export const exitCodes = { done: 0, input: 1, world: 2, bug: 3, partial: 10, interrupted: 130 } as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** The user's input is wrong: carries every problem found. Turned into text and exit 1 in one place. */
export class InputError extends Error {
  override readonly name = 'InputError'
  readonly diagnostics: readonly Diagnostic[]
  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map((diagnostic) => diagnostic.message).join('\n'))
    this.diagnostics = diagnostics
  }
}
