import type { Layout } from './layout.ts'

// What `--privileged` would give, by name: `--privileged` itself fails on a machine that lacks one of all capabilities.
const capabilities = [
  ...['SYS_ADMIN', 'NET_ADMIN', 'SYS_PTRACE', 'SYS_MODULE', 'SYSLOG', 'LINUX_IMMUTABLE', 'IPC_LOCK', 'SYS_NICE', 'DAC_READ_SEARCH'],
  ...['SYS_BOOT', 'SYS_TTY_CONFIG', 'AUDIT_CONTROL', 'AUDIT_READ', 'BLOCK_SUSPEND', 'IPC_OWNER', 'LEASE', 'MAC_ADMIN', 'MAC_OVERRIDE'],
  ...['NET_BROADCAST', 'SYS_PACCT', 'SYS_RAWIO', 'SYS_TIME', 'WAKE_ALARM'],
]

/** Every container and volume of the lab carries this label. */
export const labLabel = 'stagecraft.lab'
/** What a host was made from; a host with another value is made anew. */
export const recipeLabel = 'stagecraft.lab.recipe'

export interface HostRun {
  readonly name: string
  readonly address: string
  readonly container: string
  /** Mounted on the host as /lab. */
  readonly folder: string
  readonly image: string
  readonly recipe: string
}

/** The arguments for `docker` that start a host: a container that can run containers. */
export function hostRunArgs(layout: Layout, host: HostRun): readonly string[] {
  return [
    ...['run', '--detach', '--name', host.container, '--hostname', host.name, '--init'],
    ...['--label', `${labLabel}=host`, '--label', `${recipeLabel}=${host.recipe}`],
    ...['--network', layout.network.name, '--ip', host.address],
    ...capabilities.flatMap((capability) => ['--cap-add', capability]),
    ...['--security-opt', 'seccomp=unconfined', '--security-opt', 'apparmor=unconfined', '--device-cgroup-rule', 'a *:* rwm'],
    // Without the machine's own cgroup tree, containers on the host fail with "read-only file system".
    ...['--cgroupns', 'host', '--volume', '/sys/fs/cgroup:/sys/fs/cgroup:rw'],
    ...['--tmpfs', '/run', '--tmpfs', '/tmp:exec'],
    // overlayfs does not stack on the container's own overlayfs, so the host's engine keeps its data on a volume.
    ...['--mount', `type=volume,source=${host.container},target=/var/lib/docker,volume-label=${labLabel}=host`],
    ...['--volume', `${host.folder}:/lab:ro`, '--env', `LAB_REGISTRY=${layout.registry.address}`],
    ...[host.image, '/bin/sh', '/lab/start.sh'],
  ]
}
