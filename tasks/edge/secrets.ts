/** The secrets a route's files are made from. They go to the host and nowhere else. */
import { digestOf } from '../../graph/fingerprint.ts'
import { TaskFailure } from '../kind.ts'
import type { Secrets } from '../ports.ts'
import type { RouteSecrets } from './caddy-route.ts'
import type { Route } from './route.ts'

/** @throws TaskFailure when one is not set or is not what it should be. */
export function openRouteSecrets(route: Route, secrets: Secrets): RouteSecrets {
  const { tls, basicAuth } = route
  return {
    ...(tls.mode === 'acme' && tls.emailSecret !== null && { email: secrets.get(tls.emailSecret).trim() }),
    ...(tls.mode === 'files' && {
      certificate: digestOf(secrets.digest(tls.certificateSecret) + secrets.digest(tls.keySecret)).slice(0, 16),
    }),
    accounts: basicAuth === null ? [] : accounts(basicAuth, secrets.get(basicAuth)),
  }
}

/** As `htpasswd -B` writes them. */
function accounts(name: string, text: string): RouteSecrets['accounts'] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const found = lines.map((line) => /^([^:\s]+):(\$2[aby]\$\d\d\$[./A-Za-z0-9]{53})\s*$/.exec(line))
  if (found.length === 0 || found.includes(null)) {
    throw new TaskFailure({
      reason: 'refused',
      subject: name,
      message: `\`${name}\` is not a list of accounts: expected \`name:bcrypt-hash\`, one a line`,
      remedy: 'write it with `htpasswd -nB NAME`',
    })
  }
  return found.flatMap((match) => (match?.[1] && match[2] ? [{ username: match[1], hash: match[2] }] : []))
}
