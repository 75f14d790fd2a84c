/**
 * `npm run demo [-- --keep]`: the example shop deployed to a real host on this machine, by the published program, whose output is
 * shown as it is. Only the captions between are this file's. Sets up all it needs, and removes the shop again unless told to keep it.
 */
import { execFileSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { Shop } from '../support/shop.ts'
import { type Lab, labObstacle, openLab } from './lab.ts'
import { Interrupted, Stage } from './stage.ts'

const stage = new Stage(process.stdout)

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { keep: { type: 'boolean', default: false } } })
  const obstacle = await labObstacle()
  if (obstacle !== undefined) {
    process.stderr.write(`The demo cannot run here: ${obstacle}.\n`)
    return 1
  }
  stage.scene('A lab on this machine', 'a host with sshd and Docker, a registry; minutes the first time, then seconds')
  const lab = await openLab({ hosts: 1, report: (line) => stage.note(line) })
  const shop = new Shop(lab)
  stage.playIn(shop.directory, { DOCKER_CONFIG: lab.registry.dockerConfigDir })
  try {
    await play(shop, lab)
    farewell(shop, lab, values.keep)
  } finally {
    if (!values.keep) shop.remove()
  }
  return 0
}

async function play(shop: Shop, lab: Lab): Promise<void> {
  const deploy = ['deploy', '--env', 'prod'] as const
  stage.scene('The project', 'an ordinary Compose project (api, web, worker, db), and this stagecraft.yml')
  stage.quote(shop.read('stagecraft.yml'))
  stage.say('')
  stage.command(`cd ${shop.directory}`)

  stage.scene('First deploy', 'build and push three images, start the database, migrate it, start the rest')
  await stage.stagecraft('first deploy', ...deploy)
  answers(shop, lab)

  stage.scene('The same again', 'every task looks at its target: no lock, no write, no restart')
  await stage.stagecraft('nothing changed', ...deploy)

  stage.scene('One file of api changes', 'a plan says what that means before anything is touched')
  const before = runningSince(shop)
  shop.write('api/www/version', '2\n')
  shop.commit('api: version 2')
  stage.quote(shop.git('show', '--stat', '--format=%h %s', 'HEAD'))
  await stage.stagecraft('plan', 'plan', '--env', 'prod')
  await stage.stagecraft('one service changed', ...deploy)
  answers(shop, lab)
  const after = runningSince(shop)
  const kept = [...before.keys()].filter((service) => before.get(service) === after.get(service))
  stage.note(`containers that are still the same: ${kept.join(', ')}`)

  stage.scene('What depends on what', 'an unbroken line: its result counts; a dotted one: it only comes first')
  await stage.stagecraft('graph', 'graph', '--env', 'prod')

  stage.scene('What was released')
  await stage.stagecraft('releases', 'releases', 'list', '--env', 'prod')
}

/** The container of each service, to show which ones a deploy left alone. */
function runningSince(shop: Shop): ReadonlyMap<string, string> {
  return new Map(['api', 'db', 'web', 'worker'].map((service) => [service, shop.container(service).id]))
}

/** Asks the services from this machine, as a visitor would. */
function answers(shop: Shop, lab: Lab): void {
  for (const [service, port, path] of [
    ['web', 8080, '/version'],
    ['api', 4000, '/version'],
    ['api', 4000, '/cgi-bin/products'],
  ] as const) {
    const published = shop.onHost('docker', 'port', shop.container(service).id, `${port}/tcp`).split('\n')[0]?.split(':').at(-1)
    const url = `http://${lab.hosts[0]?.address}:${published}${path}`
    stage.command(`curl ${url}   # ${service}`)
    stage.say(execFileSync('curl', ['--silent', '--show-error', '--fail', '--max-time', '5', url], { encoding: 'utf8' }).trim())
  }
}

function farewell(shop: Shop, lab: Lab, isKept: boolean): void {
  stage.scene('That was it')
  stage.times()
  if (isKept) {
    stage.say('\nThe shop still runs. Look around, change things, break things:\n')
    stage.command(`cd ${shop.directory}`)
    stage.command(`export DOCKER_CONFIG=${lab.registry.dockerConfigDir}`)
    stage.command(`${stage.program} plan --env prod`)
    stage.command(`docker exec ${shop.host.container} docker ps`)
    stage.command(`ssh -i ${lab.identityFile} -o UserKnownHostsFile=${lab.knownHostsFile} deploy@${shop.host.address}`)
  } else {
    stage.say('\nThe shop is removed now. To keep it and look around:\n')
    stage.command('npm run demo -- --keep')
  }
  stage.say(`\nThe lab${isKept ? ', with the shop in it,' : ''} still runs, so the next demo starts in seconds. To end it:\n`)
  stage.command('npm run lab -- down         # keeps images and keys')
  stage.command('npm run lab -- down --all   # keeps nothing but installed packages')
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`\nThe demo stopped: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = error instanceof Interrupted ? 130 : 1
}
