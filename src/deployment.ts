/** What a checked manifest and Compose file resolve to for one environment: all that pipelines need. */
import type { JsonObject, Location } from '../graph/types.ts'

/** One environment of one project, everything defaulted and cross-checked: all that pipelines need. Holds no secret's value. */
export interface Deployment {
  readonly project: string
  readonly environment: string
  /** `<project>-<environment>`: the Compose project's name on hosts. */
  readonly composeProject: string
  /** Registry reference without scheme or tag; images are `<registry>/<service>`. */
  readonly registry?: string
  /** How images that are built here come to hosts; absent: through their registries. */
  readonly transfer?: 'ssh'
  /** Absolute folder on hosts: `/opt/stagecraft/<project>/<environment>`. */
  readonly directory: string
  /** Absolute folder on hosts of what all projects on a machine share: `/opt/stagecraft/edge`. */
  readonly edgeDirectory: string
  /** When some service has a route. */
  readonly edge?: DeployedEdge
  /** Sorted by name. Empty for a local environment. */
  readonly hosts: readonly HostAddress[]
  /** Keeps the release history and is where one-off work runs. */
  readonly primaryHost?: string
  /** Sorted by name. */
  readonly services: readonly Service[]
  readonly databases: readonly DatabaseTarget[]
  /** Compose's top-level `networks`, `volumes`, `configs`, `secrets` and `x-*`, not interpolated. */
  /** `others`: files it extends and includes, and their variables. Project-relative, as `file` is. */
  readonly compose: { readonly file: string; readonly others?: readonly string[]; readonly topLevel: JsonObject }
  readonly variables: Variables
  /** Path of OpenSSH known_hosts files, project-relative or absolute, first match wins. */
  readonly knownHosts: readonly string[]
  /** How hosts follow each other. */
  readonly fleet: FleetPolicy
  /** By host, what its services need to find those on other hosts and those that somebody else runs. */
  readonly reach?: Readonly<Record<string, HostReach>>
  /** When its services are handed to a Docker Swarm: then `hosts` is the one manager that is asked. */
  readonly swarm?: DeployedSwarm
  /** Commands before and after parts of a deploy, sorted by point; none when there are none. */
  readonly hooks?: readonly Hook[]
}

export interface DeployedSwarm {
  /** The host that is asked; the primary one. */
  readonly manager: string
  /** Prefix of the nodes' labels that say roles: one environment's are not another's. */
  readonly labelPrefix: string
  /** Machines of the manifest that have roles: nodes of the swarm, each found by one of its addresses or by its name. */
  readonly nodes: readonly { readonly name: string; readonly addresses: readonly string[]; readonly roles: readonly string[] }[]
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
  /** A text is for the shell. */
  readonly command: string | readonly string[]
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
  /** Machines to go through, as for `ssh -J`; `none`: go straight there. Undefined: what ~/.ssh/config says. */
  readonly jump?: string
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
  /** Where users find it. */
  readonly route?: ServiceRoute
  readonly origin?: Location
}

export interface ImageBuild {
  /** Reference without tag: `<registry>/<service>`, or `<project>-<service>` for what no registry sees. */
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
  readonly cacheTo?: readonly string[]
  /** A program that makes the image in the context, in place of Docker; the reference comes last. */
  readonly command?: readonly [string, ...string[]]
  /** What that program makes in the context as it goes. */
  readonly makes?: readonly string[]
  /** Added to every tag. */
  readonly tagSuffix?: string
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
  /** How long one that is healthy must stay so. Undefined: not at all. */
  readonly steadySeconds?: number
  /** How many new containers of a service may stand beside the old ones on a host. Undefined: one. */
  readonly surge?: number
  /** Where its copies may run, in a swarm. */
  readonly constraints?: readonly string[]
  /** `stop_grace_period` of the service, else 10. */
  readonly stopGraceSeconds: number
  /** Nothing is pulled to a host with less. Undefined: 1 GiB. */
  readonly minFreeBytes?: number
}

/** The proxy in front of an environment's services. */
export interface DeployedEdge {
  readonly provider: 'caddy' | 'traefik'
  readonly image: string
  /** Names of hosts that users reach, sorted. */
  readonly gateways: readonly string[]
  /** Where machines reach each other's proxies. */
  readonly innerPort: number
  /** Address each machine listens on for the others, by host. */
  readonly innerAddresses: Readonly<Record<string, string>>
  /** Variable that holds the address certificates are asked for under. */
  readonly acmeEmailEnv?: string
  /** Directory of the ACME server; the provider's own default unless told. */
  readonly acmeServer?: string
}

export interface ServiceRoute {
  /** At least one. */
  readonly domains: readonly string[]
  /** Domains that lead to the first of `domains`. */
  readonly redirects: readonly string[]
  /** `/` for everything. */
  readonly path: string
  /** Where its containers listen. */
  readonly port: number
  readonly tls: { readonly mode: 'acme' | 'none' } | { readonly mode: 'files'; readonly certificate: string; readonly key: string }
  readonly hsts: boolean
  /** Variable that holds `name:bcrypt-hash`, one a line. */
  readonly basicAuth?: string
  readonly drainSeconds: number
  /** Files that are kept for pages of an earlier release. */
  readonly assets?: { readonly path: string; readonly directory: string; readonly keepMinutes: number }
}

export interface DatabaseTarget {
  readonly name: string
  /** Variable that holds the connection string; always treated as a secret. */
  readonly connectionEnv: string
  readonly engine: string
  /** Project-relative folder of migrations. */
  readonly path: string
  readonly strategy: 'pre_deploy' | 'post_deploy' | 'manual'
  /** For an engine that runs a program. */
  readonly command?: {
    readonly argv: readonly string[]
    /** Ends with 0 when nothing is pending. */
    readonly check?: readonly string[]
    /** Variables of this machine that it gets, by name or glob. */
    readonly env: readonly string[]
    readonly timeoutMs: number
    /** The service whose one-off container it runs in; default this machine. */
    readonly on?: string
  }
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
