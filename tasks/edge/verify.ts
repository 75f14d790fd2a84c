/** Asks for the service through the proxy, as its users do: under another name before they can reach it, or under its own. */
import { TaskFailure } from '../kind.ts'
import { ask } from './ask.ts'
import type { Site } from './site.ts'

const requests = 3

/** @throws TaskFailure `unhealthy` naming the answer. */
export async function verify(site: Site, name = site.route.domains[0] ?? ''): Promise<void> {
  const { host, route } = site
  const [domain = ''] = route.domains
  const path = route.verify.path
  for (let count = 0; count < requests; count++) {
    const { status, problem } = await ask(site, { name, path })
    if (isGood(status, site)) continue
    throw new TaskFailure({
      reason: 'unhealthy',
      subject: `${route.key} on ${host.name}`,
      message: `through the proxy of ${host.name}, ${domain}${path} answered ${problem}${expectation(site)}`,
      remedy: `is ${route.key.split('.').slice(2).join('.')} listening on the port of its \`route\`, and on all addresses?`,
    })
  }
}

/** Who asks has no password, so being asked for one is as far as this can go. */
function isGood(status: number, { route: { basicAuth, verify: wanted } }: Site): boolean {
  if (basicAuth !== null && status === 401) return true
  if (wanted.expectedStatus !== null) return status === wanted.expectedStatus
  return status >= 100 && status < 500
}

function expectation({ route: { verify: wanted } }: Site): string {
  return wanted.expectedStatus === null ? '' : `, not ${wanted.expectedStatus}`
}
