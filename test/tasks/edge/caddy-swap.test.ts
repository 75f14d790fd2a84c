/** A real Caddy on loopback: swaps in quick succession under load. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { Agent, createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { caddyConfig } from '../../../tasks/edge/caddy-config.ts'
import { caddyRoute } from '../../../tasks/edge/caddy-route.ts'
import { liveFolder, liveLink, mountPoint } from '../../../tasks/edge/layout.ts'
import { shareFiles, shareFolder } from '../../../tasks/edge/shares.ts'
import { sampleRoute } from '../../support/routes.ts'

const test = suite('tasks/edge/caddy-swap')
const route = sampleRoute()
const hasCaddy = spawnSync('caddy', ['version']).status === 0
if (!hasCaddy) process.stdout.write('skipped: there is no caddy here to swap under load\n')

/** A server on a free port of loopback that answers its own name. */
async function serve(name: string): Promise<{ readonly port: number; close(): void }> {
  const server = createServer((_, response) => response.end(name))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, close: () => server.close() }
}

async function ask(port: number, agent: Agent): Promise<string> {
  return new Promise((resolve) => {
    const asked = get({ host: '127.0.0.1', port, agent, headers: { host: route.domains[0] } }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      response.on('end', () => resolve(response.statusCode === 200 ? body : `${response.statusCode} ${body}`))
    })
    asked.on('error', (error) => resolve(error.message))
  })
}

const optional = hasCaddy ? test : test.skip
optional('hundreds of swaps, between one container and two, lose no request', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'swap-'))
  const servers = await Promise.all(['a', 'b', 'c'].map(serve))
  const [a, b, c] = servers.map(({ port }) => ({ name: '127.0.0.1', port }))
  if (!a || !b || !c) throw new Error('three servers')
  const free = await Promise.all(['http', 'https', 'inner', 'admin'].map(serve))
  const [http = 0, https = 0, inner = 0, admin = 0] = free.map(({ port }) => port)
  for (const one of free) one.close()
  const sets = [[a], [b, c]].map((upstreams) => {
    const target = shareFolder(route.key, upstreams)
    mkdirSync(join(folder, liveFolder, target), { recursive: true })
    for (const name of shareFiles(upstreams)) writeFileSync(join(folder, liveFolder, target, name), '')
    return target
  })
  const link = join(folder, liveLink(route.key))
  const swap = (index: number) => {
    symlinkSync(sets[index % 2] ?? '', `${link}.new`)
    renameSync(`${link}.new`, link)
  }
  swap(0)
  const config = caddyConfig(new Map([[route.key, caddyRoute(route, { accounts: [] })]]), [8079])
    .replaceAll(`"${mountPoint}/`, `"${folder}/`)
    .replace('":80"', `"127.0.0.1:${http}"`)
    .replace('":443"', `"127.0.0.1:${https}"`)
    .replace('":8079"', `"127.0.0.1:${inner}"`)
    .replace('127.0.0.1:2019', `127.0.0.1:${admin}`)
    .replace('"/data"', `"${folder}/data"`)
  writeFileSync(join(folder, 'caddy.json'), config)
  const caddy = spawn('caddy', ['run', '--config', join(folder, 'caddy.json')], {
    env: { PATH: process.env['PATH'], HOME: folder },
    stdio: 'ignore',
  })
  try {
    const agents = Array.from({ length: 12 }, (_, index) => new Agent({ keepAlive: index > 1, maxSockets: 1 }))
    const [first] = agents
    if (!first) throw new Error('no agent')
    while ((await ask(http, first)) !== 'a') await new Promise((resolve) => setTimeout(resolve, 50))
    const answers = new Map<string, number>()
    let isOver = false
    const users = agents.map(async (agent) => {
      while (!isOver) {
        const answer = await ask(http, agent)
        answers.set(answer, (answers.get(answer) ?? 0) + 1)
      }
      agent.destroy()
    })
    for (let index = 1; index <= 400; index++) {
      swap(index)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    isOver = true
    await Promise.all(users)
    assert.equal([...answers.keys()].sort(), ['a', 'b', 'c'], JSON.stringify([...answers]))
  } finally {
    caddy.kill()
    for (const server of servers) server.close()
    rmSync(folder, { recursive: true, force: true })
  }
})

test.run()
