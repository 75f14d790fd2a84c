/** One proxy for each machine, shared by all projects and environments on it. Its version is a visible task of its own, as replacing it interrupts them all. */
import { z } from 'zod'
import type { ActionResult } from '../graph/types.ts'
import { addToCaddy, prepareCaddy } from './edge/configure-caddy.ts'
import { composeFile, dataFolder, liveFolder, maintenanceFolder, modes, proxyProject, proxyService, routeFolder } from './edge/layout.ts'
import { ownUser, routedNetworks } from './edge/machine.ts'
import { accountOf, isMet, needsOfLabel, noNeeds, type ProxyNeeds, readClaims, union, withoutAddresses, writeClaims } from './edge/needs.ts'
import { type ProxySettings, proxyCompose, proxyHash, startFiles } from './edge/proxy-compose.ts'
import { edgeProvider, type Route, route, routeSecrets } from './edge/route.ts'
import { traefikApiRoute } from './edge/traefik-static.ts'
import { renderYaml } from './edge/yaml.ts'
import { faultPoint } from './fault-point.ts'
import { defineTask, type Look, type TaskContext, TaskFailure } from './kind.ts'
import type { EdgeState, ProxyContainer } from './ports/edge.ts'
import type { Host } from './ports.ts'
import { cleanEnvironment } from './rolling/compose.ts'

const params = z.lazy(() =>
  z.strictObject({
    host: z.string(),
    /** `<project>.<environment>`: whose needs these are. */
    owner: z.string(),
    provider: edgeProvider,
    image: z.string(),
    /** Absolute, on the host. */
    directory: z.string(),
    innerPort: z.number().int(),
    /** Address to listen on for other machines; null when none asks. */
    innerAddress: z.string().nullable(),
    gateways: z.array(z.string()),
    /** Names the secret that holds the address certificates are asked for under. */
    emailSecret: z.string().nullable(),
    acmeServer: z.string().nullable(),
    /** Of the environment on this machine, for a proxy that closes connections whenever it is told of a new one (ADR 37). */
    routes: z.array(route),
  }),
)
export type ProxyParams = z.infer<typeof params>

const composeTimeoutMs = 120_000
const readyMs = 20_000
const cost = 'WebSockets through its proxy will be cut, and open again'

export const proxy = defineTask<ProxyParams>({
  name: 'proxy',
  version: 1,
  summary: 'runs the proxy in front of all services of a machine',
  freshness: 'effect',
  phase: 'rollout',
  pool: 'host',
  exclusive: true,
  params,
  title: ({ host, provider }) => `run ${provider} on ${host}`,
  inputs: ({ emailSecret, provider, routes }) => ({
    secrets: [...new Set([...(emailSecret !== null && provider === 'traefik' ? [emailSecret] : []), ...routes.flatMap(routeSecrets)])],
  }),
  async observe(params, context): Promise<Look> {
    const { proxy: found, routes = {} } = (await context.ports.host(params.host).observe()).edge ?? {}
    if (!found) return { fresh: false, because: { reason: 'absent', detail: `no proxy on ${params.host}` } }
    const wrong = difference(found, params, context)
    if (wrong !== undefined) return { fresh: false, because: { reason: 'drift', detail: `the proxy of ${params.host} ${wrong}` } }
    const added = missing(params, routes).map(({ key }) => key)
    if (added.length > 0)
      return { fresh: false, because: { reason: 'absent', detail: `${params.host} has no route for ${added.join(', ')} yet: ${cost}` } }
    return { fresh: true, result: resultOf(params), detail: `${found.image} is running` }
  },
  async run(params, context) {
    const host = context.ports.host(params.host)
    try {
      await host.edge.exclusively(async () => {
        const { proxy: found } = (await host.observe()).edge ?? {}
        if (found && difference(found, params, context) === undefined) await addRoutes(params, host, context, false)
        else await bringUp(params, host, context)
      })
    } finally {
      host.changed()
    }
    await awaitAnswer(params, host)
    return resultOf(params)
  },
})

function difference(found: ProxyContainer, params: ProxyParams, context: TaskContext): string | undefined {
  const { provider, hash } = found.labels
  if (provider !== params.provider) return `is ${provider}, not ${params.provider}`
  if (!found.isRunning) return 'is stopped'
  if (found.image !== params.image && hash === undefined) return `is ${found.image}, not ${params.image}`
  if (hash !== proxyHash(params)) return 'was made from other settings'
  const there = needsOfLabel(found.labels['needs'])
  if (!isMet(withoutAddresses(needsOf(params, context)), there)) return `was not told all that ${params.owner} needs`
  return undefined
}

/** What this environment asks for. Traefik is told of gateways and addresses when it starts; Caddy is told with each route. */
function needsOf(
  { provider, innerPort, innerAddress, gateways, emailSecret, acmeServer }: ProxyParams,
  { ports }: TaskContext,
): ProxyNeeds {
  const published = innerAddress === null ? [] : [`${bracketed(innerAddress)}:${innerPort}`]
  const mine = { ...noNeeds, ports: [innerPort], published }
  if (provider === 'caddy') return mine
  const account = accountOf(emailSecret === null ? undefined : ports.secrets.get(emailSecret).trim(), acmeServer)
  return { ...mine, gateways: [...gateways], accounts: account === undefined ? [] : [account] }
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}

/** Of all environments of the machine together; what the running proxy has counts when nobody wrote down who asked for it. */
async function claim(params: ProxyParams, before: ProxyContainer | undefined, host: Host, context: TaskContext): Promise<ProxyNeeds> {
  const mine = needsOf(params, context)
  const isOurs = before === undefined || before.labels['provider'] === params.provider
  const claims = isOurs ? await readClaims(host) : {}
  const all = { ...claims, [params.owner]: mine }
  await writeClaims(host, all)
  const running = claims === undefined ? { ...needsOfLabel(before?.labels['needs']), accounts: [] } : noNeeds
  return union([...Object.values(all), running])
}

async function bringUp(params: ProxyParams, host: Host, context: TaskContext): Promise<void> {
  host.changed()
  const before = (await host.observe()).edge?.proxy
  await context.guard()
  await refuseToTakeOver(params, before, host)
  const user = await ownUser(host)
  const networks = await routedNetworks(host)
  const { provider, image, directory } = params
  const settings: ProxySettings = { provider, image, directory, needs: await claim(params, before, host, context) }
  for (const folder of [routeFolder, liveFolder, maintenanceFolder, dataFolder]) await host.edge.files.makeDirectory(folder, modes.folder)
  for (const [name, text] of Object.entries(startFiles(settings))) await host.edge.files.write(name, Buffer.from(text), modes.file)
  if (params.provider === 'caddy') {
    await prepareCaddy(host, settings.needs.ports)
    await addRoutes(params, host, context, true)
  }
  if (params.provider === 'traefik')
    await host.edge.files.write(`${routeFolder}/stagecraft-api.yml`, Buffer.from(renderYaml(traefikApiRoute())), modes.file)
  await host.edge.files.write(composeFile, Buffer.from(proxyCompose(settings, user)), modes.file)
  if (!(await host.engine.hasImage(params.image))) {
    context.log(`pulling ${params.image}`)
    await host.engine.pull(params.image, await context.ports.registry.credentials(params.image), (line) => context.log(line))
  }
  await context.guard()
  faultPoint('proxy-prepared', context)
  await compose(params, host, context, ['up', '--no-start', proxyService])
  faultPoint('proxy-made', context)
  const made = await lookForProxy(host)
  // Before it starts, so that it never answers for containers it cannot reach.
  for (const network of networks) if (made) await host.engine.joinNetwork(network, made.id)
  faultPoint('proxy-joined', context)
  await compose(params, host, context, ['start', proxyService])
  faultPoint('proxy-started', context)
}

/** Those without a file of their own yet; what is there and differs is the matter of its own task. */
async function addRoutes(params: ProxyParams, host: Host, context: TaskContext, isStarting: boolean): Promise<void> {
  host.changed()
  const { routes = {} } = (await host.observe()).edge ?? {}
  const sites = missing(params, routes).map((route) => ({ host, route, context }))
  if (sites.length > 0) await context.guard()
  await addToCaddy(sites, isStarting)
}

function missing({ routes }: ProxyParams, there: EdgeState['routes']): readonly Route[] {
  return routes.filter(({ key }) => there[key]?.config === undefined)
}

async function lookForProxy(host: Host): Promise<ProxyContainer | undefined> {
  host.changed()
  return (await host.observe()).edge?.proxy
}

/** Services of other projects would lose their routes. */
async function refuseToTakeOver({ provider }: ProxyParams, before: ProxyContainer | undefined, host: Host): Promise<void> {
  const theirs = before?.labels['provider']
  if (theirs === undefined || theirs === provider) return
  const names = (await host.edge.files.list(routeFolder)).filter((name) => name.endsWith(theirs === 'traefik' ? '.yml' : '.json'))
  const routed = names.filter((name) => name !== 'stagecraft-api.yml')
  if (routed.length === 0) return
  throw new TaskFailure({
    reason: 'refused',
    subject: host.name,
    message: `the proxy of ${host.name} is ${theirs}, and still serves ${routed.map((name) => name.replace(/\.(yml|json)$/, '')).join(', ')}`,
    remedy: `say \`edge: {provider: ${theirs}}\`, or take those services’ routes away first`,
  })
}

async function compose(params: ProxyParams, host: Host, context: TaskContext, words: readonly string[]): Promise<void> {
  const file = `${params.directory}/${composeFile}`
  const argv = [...cleanEnvironment, 'docker', 'compose', '--project-name', proxyProject, '--file', file, ...words] as const
  const exit = await host.run({ argv, timeoutMs: composeTimeoutMs }, (line) => context.log(line))
  if (exit.code === 0) return
  const isTaken = /port is already allocated|address already in use/.test(exit.stderr)
  throw new TaskFailure({
    reason: 'exit',
    subject: host.name,
    message: isTaken
      ? `port 80 or 443 of ${host.name} is taken`
      : `docker compose ${words[0]} of the proxy on ${host.name} ended with code ${exit.code}`,
    output: exit.stderr
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-10),
    remedy: isTaken
      ? `see who listens there: ss -ltnp 'sport = :80 or sport = :443'`
      : `run it by hand on ${host.name}: docker compose -f ${file} up`,
  })
}

async function awaitAnswer(params: ProxyParams, host: Host): Promise<void> {
  const deadline = Date.now() + readyMs
  let found: ProxyContainer | undefined
  while (Date.now() < deadline) {
    found = await lookForProxy(host)
    if (found?.isRunning && found.address !== undefined) {
      const socket = await host.connect(found.address, params.innerPort).catch(() => undefined)
      socket?.destroy()
      if (socket) return
    }
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new TaskFailure({
    reason: 'unhealthy',
    subject: host.name,
    message: `the proxy on ${host.name} did not listen within ${readyMs / 1000} s`,
    output: found ? await host.engine.logs(found.id, 20).catch((): readonly string[] => []) : [],
    remedy: `look at it on ${host.name}: docker logs ${proxyProject}-${proxyService}-1`,
  })
}

function resultOf({ provider, image }: ProxyParams): ActionResult {
  return { files: {}, values: { provider, image } }
}
