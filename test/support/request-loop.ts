import { execFile } from 'node:child_process'
import type { Shop } from './shop.ts'

export interface RequestLoop {
  /** Ends the loop. `failures` lists what was not a 2xx answer. */
  stop(): Promise<{ readonly requests: number; readonly failures: readonly string[] }>
}

/**
 * Asks a service again and again on a fresh connection, from the host itself, until stopped. It asks the container
 * that served when it began; an answer is a failure unless it is a 2xx.
 */
export function startRequestLoop(shop: Shop, service: string, path: string): RequestLoop {
  const address = endpoint(shop, service)
  const failures: string[] = []
  let requests = 0
  let stopped = false
  const ended = (async () => {
    while (!stopped) {
      requests += 1
      const error = await ask(shop.host.container, `http://${address}${path}`)
      if (error !== undefined) failures.push(error)
    }
  })()
  return {
    async stop() {
      stopped = true
      await ended
      return { requests, failures }
    },
  }
}

function endpoint(shop: Shop, service: string): string {
  const format = '{{range .NetworkSettings.Ports}}{{range .}}{{.HostPort}} {{end}}{{end}}'
  const port = shop.onHost('docker', 'inspect', '--format', format, shop.container(service).id).trim().split(' ')[0]
  return `127.0.0.1:${port}`
}

function ask(container: string, url: string): Promise<string | undefined> {
  const argv = ['exec', container, 'curl', '--silent', '--show-error', '--fail', '--output', '/dev/null', '--max-time', '3', url]
  return new Promise((resolve) => {
    execFile('docker', argv, (error, _stdout, stderr) => resolve(error ? stderr.trim() || error.message : undefined))
  })
}
