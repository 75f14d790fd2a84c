/** Words for what a Docker Engine, or a host without one, says no with. Pure. */
import type { Failure } from '../../graph/types.ts'
import type { Exit } from '../../tasks/ports.ts'

/** Names of the host for messages. */
export interface EngineHost {
  readonly name: string
  readonly user: string
  /** `node-1 (deploy@203.0.113.7:22)`. */
  readonly where: string
}

/** Why `docker version` did not work on the host: there is no other way to learn why the socket could not be reached. */
export function unavailableEngine(host: EngineHost, exit: Exit): Failure {
  const said = exit.stderr.trim() || exit.stdout.trim()
  const failure = (message: string, remedy: string): Failure => ({ reason: 'refused', subject: host.name, message, remedy })
  if (exit.code === 127 || /docker: (command )?not found/i.test(said)) {
    return failure(`Docker is not installed on ${host.where}`, 'install Docker Engine there: https://docs.docker.com/engine/install/')
  }
  if (/permission denied/i.test(said)) {
    return failure(
      `${host.user} may not use Docker on ${host.where}: permission denied on its socket`,
      `allow it, on the host: \`sudo usermod -aG docker ${host.user}\``,
    )
  }
  if (/cannot connect to the docker daemon|is the docker daemon running/i.test(said)) {
    return failure(`the Docker daemon does not run on ${host.where}`, 'start it, on the host: `sudo systemctl enable --now docker`')
  }
  return failure(
    `Docker does not answer on ${host.where}: ${said || `\`docker version\` ended with code ${exit.code}`}`,
    'run `docker version` on the host',
  )
}

/** The Engine's own no to one request. `what` completes "cannot … on node-1". */
export function refusedRequest(host: EngineHost, what: string, message: string): Failure {
  const said = message.replace(/^\(HTTP code \d+\) .*? - /, '').trim()
  const remedy = requestRemedy(said)
  return {
    reason: 'refused',
    subject: host.name,
    message: `cannot ${what} on ${host.where}: ${said}`,
    ...(remedy === undefined ? {} : { remedy }),
  }
}

function requestRemedy(said: string): string | undefined {
  if (/port is already allocated|address already in use/i.test(said))
    return 'something else on the host has the port: `docker ps`, `ss -ltnp`'
  if (/no space left on device/i.test(said)) return 'free some disk space on the host: `df -h`, `docker system df`'
  if (/no such container/i.test(said)) return 'it was removed by someone else: run again'
  return undefined
}

/** An image that could not be pulled. */
export function pullFailure(host: EngineHost, reference: string, message: string): Failure {
  const said = message.replace(/^\(HTTP code \d+\) .*? - /, '').trim()
  const registry = reference.split('/')[0] ?? reference
  const failure = (remedy: string): Failure => ({
    reason: 'refused',
    subject: host.name,
    message: `cannot pull ${reference} on ${host.where}: ${said}`,
    remedy,
  })
  if (/no space left on device/i.test(said)) return failure('free some disk space on the host: `df -h`, `docker system df`')
  if (/unauthorized|authentication required|no basic auth|denied|forbidden/i.test(said)) {
    return failure(`log in on this machine, whose credentials are used: \`docker login ${registry}\``)
  }
  if (/manifest unknown|not found|does not exist/i.test(said)) return failure('push the image first: the registry does not have it')
  if (/x509|certificate/i.test(said))
    return failure(`the host must trust the registry: put its CA into /etc/docker/certs.d/${registry}/ca.crt there`)
  if (/HTTP response to HTTPS/i.test(said))
    return failure(`give ${registry} a certificate, or list it under \`insecure-registries\` on the host`)
  if (/no such host|i\/o timeout|connection refused|dial tcp|timeout/i.test(said))
    return failure(`the host must reach ${registry}: check its DNS and firewall`)
  return failure(`try \`docker pull ${reference}\` on the host`)
}

/** An image that could not be loaded. */
export function loadFailure(host: EngineHost, reference: string, said: string): Failure {
  const message = `cannot load ${reference} on ${host.where}: ${said}`
  const subject = host.name
  if (/no space left on device/i.test(said)) {
    return { reason: 'refused', subject, message, remedy: 'free some disk space on the host: `df -h`, `docker system df`' }
  }
  // What an engine says of a layer that was left out and that it does not have.
  if (/no such file or directory|not found|does not exist/i.test(said)) return { reason: 'missing-output', subject, message }
  return { reason: 'refused', subject, message, remedy: 'look at the log of Docker on the host: `journalctl -u docker`; and deploy again' }
}
