/** The same change of one service by what people use without a deploy tool: the docker-rollout plugin, and Compose itself, both run on the host over SSH. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { LabHost } from '../lab/lab.ts'
import type { Shop } from '../support/shop.ts'
import type { Bench } from './bench.ts'
import { measureOnWire, onWires } from './on-wire.ts'
import { sshConfiguration } from './peers.ts'
import type { Row } from './report.ts'

/** MIT, https://github.com/wowu/docker-rollout: looked for, or fetched, when the benchmark runs; no copy of it is kept here. */
const release = 'https://raw.githubusercontent.com/wowu/docker-rollout/v0.13/docker-rollout'
const onHost = '/usr/local/lib/docker/cli-plugins/docker-rollout'

/** @param images two versions of one service, both on the host. */
export async function rolloutPeers(bench: Bench, shop: Shop, host: LabHost, images: readonly [string, string]): Promise<readonly Row[]> {
  const { lab, runs, scratch, say } = bench
  const project = `${shop.name}-peer`
  const remote = `/tmp/${project}.yml`
  let turn = 0
  const change = () => {
    turn += 1
    shop.onHost('sh', '-c', 'printf %s "$1" > "$2"', 'sh', composeFile(images[turn % 2] ?? images[0]), remote)
  }
  const plugin = pluginText()
  try {
    if (plugin !== undefined) {
      const install = 'mkdir -p "$(dirname "$2")" && printf %s "$1" > "$2" && chmod 755 "$2"'
      shop.onHost('sh', '-c', install, 'sh', plugin, onHost)
    }
    change()
    shop.onHost('docker', 'compose', '--project-name', project, '--file', remote, 'up', '--detach', '--wait')
    const rows = await onWires(lab, host, async (wire, roundTripMs) => {
      say(`the same by others, ${roundTripMs} ms`)
      const env = sshConfiguration(lab, wire, scratch)
      const by = (what: string, words: readonly string[]) =>
        measureOnWire(what, { file: 'ssh', args: ['node-1', 'docker', ...words], env }, wire, roundTripMs, Math.min(runs, 3), change)
      const up = await by('`ssh HOST docker compose up -d`, which stops the old one first', [
        'compose',
        '-p',
        project,
        '-f',
        remote,
        'up',
        '-d',
      ])
      if (plugin === undefined) return [up]
      return [up, await by('`ssh HOST docker rollout`', ['rollout', '-p', project, '-f', remote, 'web'])]
    })
    return plugin === undefined ? [...rows, { what: 'docker-rollout could not be had here', more: [] }] : rows
  } finally {
    shop.onHost('sh', '-c', `docker compose --project-name ${project} --file ${remote} down --timeout 1; rm -f ${remote} ${onHost}`)
  }
}

/** The same image, health check and grace as the shop's own. */
function composeFile(image: string): string {
  return `services:
  web:
    image: ${image}
    healthcheck: { test: [CMD, wget, -q, -O, /dev/null, "http://127.0.0.1:8080/healthz"], interval: 1s, timeout: 2s, retries: 5 }
    restart: unless-stopped
    stop_grace_period: 1s
`
}

/** From STAGECRAFT_BENCH_DOCKER_ROLLOUT, from where Docker looks for plugins, or from its release. Undefined where none can be had. */
function pluginText(): string | undefined {
  const paths = [process.env['STAGECRAFT_BENCH_DOCKER_ROLLOUT'], join(homedir(), '.docker/cli-plugins/docker-rollout'), onHost]
  const found = paths.find((path) => path !== undefined && existsSync(path))
  if (found !== undefined) return readFileSync(found, 'utf8')
  try {
    return execFileSync('curl', ['--silent', '--fail', '--location', '--max-time', '20', release], { encoding: 'utf8' })
  } catch {
    // Without a way there, or without curl.
    return undefined
  }
}
