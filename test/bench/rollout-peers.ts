/** The same change of one service by what people use without a deploy tool: the docker-rollout plugin, and Compose itself, both run on the host over SSH. */
import type { LabHost } from '../lab/lab.ts'
import { installPlugin, pluginText } from '../support/docker-rollout.ts'
import type { Shop } from '../support/shop.ts'
import type { Bench } from './bench.ts'
import { measureOnWire, onWires } from './on-wire.ts'
import { sshConfiguration } from './peers.ts'
import type { Row } from './report.ts'

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
  let takeAway = () => {}
  try {
    if (plugin !== undefined) takeAway = installPlugin(shop, plugin)
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
    shop.onHost('sh', '-c', `docker compose --project-name ${project} --file ${remote} down --timeout 1; rm -f ${remote}`)
    takeAway()
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
