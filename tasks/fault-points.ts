/**
 * Every moment at which tests end a run: what is done by then, and what is not. Each name stands exactly once in the sources, and a loop of the
 * end-to-end tests reaches it (`test/tasks/fault-points.test.ts`); docs/reliability.md has the same list, with what was found.
 */

/** What has to go on for a point to be met. */
export type Scene =
  /** A second version with a new image, a migration and hooks, under traffic. */
  | 'deploy'
  /** As `deploy`, for each kind of task that has something to do. */
  | 'kinds'
  /** The settings of a route change. */
  | 'route'
  /** No proxy on the hosts yet. */
  | 'first'
  /** Fewer replicas than there are. */
  | 'fewer'
  /** A service with a route leaves the project. */
  | 'gone'
  /** The new version is broken on the second host. */
  | 'undo'
  /** `stagecraft rollback`. */
  | 'rollback'
  /** `stagecraft maintenance on`, then `off`. */
  | 'maintenance'
  /** Tasks of the user's, which put outputs into the checkout. */
  | 'outputs'

export interface FaultMoment {
  readonly scene: Scene
  /** Completes "it stands between …". */
  readonly between: string
}

export const faultPoints = {
  'before-task': { scene: 'kinds', between: 'the decision that a task runs and its first act' },
  'task-made': { scene: 'outputs', between: 'what a task makes and its result in the cache' },
  'after-task': { scene: 'kinds', between: 'the end of a task and the start of those that wait for it' },
  'task-unlocked': { scene: 'outputs', between: 'the end of a task of the user’s, its lock given back, and those that wait for it' },

  'outputs-away': { scene: 'outputs', between: 'the journal of a swap of outputs and each rename of what was there' },
  'outputs-folder': { scene: 'outputs', between: 'what was there set aside and the folders for what comes' },
  'outputs-in': { scene: 'outputs', between: 'folders made and each rename of what comes' },
  'outputs-committed': { scene: 'outputs', between: 'outputs in place, the journal gone, and the staging folder removed' },

  'history-written': { scene: 'deploy', between: 'the new release history in a temporary file and its rename over the old one' },
  'lock-partly-taken': { scene: 'deploy', between: 'the lock of one host and that of the next' },
  'lock-taken': { scene: 'deploy', between: 'the locks of all hosts and the first thing written under them' },
  'lock-kept': { scene: 'deploy', between: 'the end of the run and its locks given back' },
  'audit-line-written': { scene: 'deploy', between: 'a line of the audit and the head that vouches for it' },
  'file-written': { scene: 'deploy', between: 'a file under a temporary name on a host and its rename' },

  'upload-begun': { scene: 'deploy', between: 'the first half of a bundle’s files and the second' },
  'upload-placed': { scene: 'deploy', between: 'the bundle whole in its place and `current` leading to it' },
  'upload-current': { scene: 'deploy', between: '`current` leading to the new bundle and old bundles removed' },

  'migrate-locked': { scene: 'deploy', between: 'the lock in the database and the first migration' },
  'migrate-applying': { scene: 'deploy', between: 'the statements of a migration and its commit' },
  'migrate-applied': { scene: 'deploy', between: 'the commit of a migration and the next one' },

  'hook-marked': { scene: 'deploy', between: 'the mark that a hook is owed and its command' },
  'hook-running': { scene: 'deploy', between: 'the first line a hook in a container says and its end' },
  'hook-ran': { scene: 'deploy', between: 'the end of a hook and the removal of its mark' },

  'image-pulled': { scene: 'deploy', between: 'the image on the host and a container of it' },
  'compose-running': { scene: 'deploy', between: 'the first line of `docker compose` on the host and its end' },
  'container-created': { scene: 'deploy', between: 'new containers made and the first of them started' },
  'name-free': { scene: 'deploy', between: 'a fixed name taken from the old container and given to the new one' },
  'container-started': { scene: 'deploy', between: 'a new container running and its health gate' },
  'container-gated': { scene: 'deploy', between: 'a new container healthy and its restart policy' },
  'container-settled': { scene: 'deploy', between: 'its restart policy and its first request' },
  'trial-published': { scene: 'deploy', between: 'a new container behind the name for trials and the trial' },
  'set-written': { scene: 'deploy', between: 'the set of upstreams written and the link that makes it live' },
  'set-live': { scene: 'deploy', between: 'the link moved and the proxy’s word that it was seen' },
  'container-routed': { scene: 'deploy', between: 'requests at the new container and the old one drained' },
  'container-drained': { scene: 'deploy', between: 'the old container drained and its stop' },
  'container-stopped': { scene: 'deploy', between: 'the old container stopped and the next replica' },
  'surplus-leaving': { scene: 'fewer', between: 'replicas that are too many stopped and removed' },

  'edge-loaded': { scene: 'route', between: 'new settings loaded by the proxy and kept for its next start' },
  'edge-kept': { scene: 'route', between: 'new settings kept for the proxy’s next start and the service’s own part of them' },
  'edge-verified': { scene: 'route', between: 'the route in place and the answer through it' },
  'route-forgotten': { scene: 'gone', between: 'a route gone from the proxy and its files removed' },

  'proxy-prepared': { scene: 'first', between: 'the proxy’s files and its container' },
  'proxy-made': { scene: 'first', between: 'the proxy’s container made and in the networks it serves' },
  'proxy-joined': { scene: 'first', between: 'the proxy in its networks and its start' },
  'proxy-started': { scene: 'first', between: 'the proxy started and its first answer' },

  'finalize-begun': { scene: 'deploy', between: 'replaced containers found and removed' },
  'finalize-removed': { scene: 'deploy', between: 'replaced containers gone and the release completed' },
  'finalize-history': { scene: 'deploy', between: 'the history on the primary host and the mark of the release' },

  'before-undo': { scene: 'undo', between: 'the failure of a run and a task of it taken back' },
  'undo-begun': { scene: 'undo', between: 'the failure of a rollout and its own steps taken back' },
  'undo-served': { scene: 'undo', between: 'the old containers serving again and the new ones removed' },
  'after-undo': { scene: 'undo', between: 'a task taken back and the ones before it' },

  'pin-found': { scene: 'rollback', between: 'an earlier release’s image found and everything else' },

  'maintenance-locked': { scene: 'maintenance', between: 'the locks and the page of each host' },
  'maintenance-changed': { scene: 'maintenance', between: 'the pages changed and the locks given back' },
} as const satisfies Readonly<Record<string, FaultMoment>>

export type FaultPoint = keyof typeof faultPoints
