/**
 * A host's folder for one project and environment:
 *
 *     current -> bundles/<hash>
 *     bundles/<hash>/docker-compose.yml     complete; `docker compose -f current/docker-compose.yml` works by hand
 *     bundles/<hash>/.env                   0600; secrets, read by Compose
 *     bundles/<hash>/env/<path>             0600; the user's own `env_file` entries
 *     files/<digest>/<name>                 what containers mount; shared by bundles and never changed once written
 *
 * Mounted files are outside the bundle because a running container keeps the path it was created with.
 */
export const composeFileName = 'docker-compose.yml'
export const environmentFileName = '.env'
export const bundlesFolder = 'bundles'
export const filesFolder = 'files'
export const currentLink = 'current'
/** Names that begin with it are unfinished writes. */
export const incomingPrefix = '.incoming-'

export const modes = {
  folder: 0o750,
  /** What a container mounts must be open to whatever user it runs as. */
  mountedFolder: 0o755,
  file: 0o644,
  executable: 0o755,
  secretFolder: 0o700,
  secret: 0o600,
  /** Its folder already keeps other users of the host out; a container that is not root cannot read it either. */
  mountedSecret: 0o444,
} as const

/** Folder of a file that is mounted: 16 hex digits of a digest name its content. */
export function mountedPath(digest: string, name: string): string {
  return `${filesFolder}/${digest.slice(0, 16)}/${name}`
}
