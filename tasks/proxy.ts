/** One proxy for each machine, shared by all projects and environments on it. Its version is a visible task of its own, as replacing it interrupts them all. */
import { z } from 'zod'
import type { ActionResult } from '../graph/types.ts'
import { prepareCaddy } from './edge/configure-caddy.ts'
import {
  composeFile,
  dataFolder,
  edgeLabel,
  liveFolder,
  maintenanceFolder,
  modes,
  proxyProject,
  proxyService,
  routeFolder,
} from './edge/layout.ts'
import { type ProxySettings, proxyCompose, proxyHash, traefikStaticFile } from './edge/proxy-compose.ts'
import { edgeProvider } from './edge/route.ts'
import { traefikApiRoute, traefikStatic } from './edge/traefik-static.ts'
import { renderYaml } from './edge/yaml.ts'
import { faultPoint } from './fault-point.ts'
import { defineTask, type Look, type TaskContext, TaskFailure } from './kind.ts'
import type { ProxyContainer } from './ports/edge.ts'
import type { Host } from './ports.ts'
import { cleanEnvironment } from './rolling/compose.ts'

const params = z.lazy(() =>
  z.strictObject({
    host: z.string(),
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
  }),
)
export type ProxyParams = z.infer<typeof params>

const composeTimeoutMs = 120_000
const readyMs = 20_000

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
  inputs: ({ emailSecret, provider }) => ({ secrets: emailSecret !== null && provider === 'traefik' ? [emailSecret] : [] }),
  async observe(params, context): Promise<Look> {
    const found = (await context.ports.host(params.host).observe()).edge?.proxy
    if (!found) return { fresh: false, because: { reason: 'absent', detail: `no proxy on ${params.host}` } }
    const wrong = difference(found, params, context)
    if (wrong !== undefined) return { fresh: false, because: { reason: 'drift', detail: `the proxy of ${params.host} ${wrong}` } }
    return { fresh: true, result: resultOf(params), detail: `${found.image} is running` }
  },
  async run(params, context) {
    const host = context.ports.host(params.host)
    try {
      await host.edge.exclusively(() => bringUp(params, host, context))
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
  if (hash !== proxyHash(settingsOf(params, found, context))) return 'was made from other settings'
  return undefined
}

/** What another project on this machine needs, the inner port, stays. */
function settingsOf(params: ProxyParams, found: ProxyContainer | undefined, context: TaskContext): ProxySettings {
  const kept = found?.labels['provider'] === params.provider ? found.labels['inner'] : undefined
  const inner = params.innerAddress === null ? kept : `${params.innerAddress}:${params.innerPort}`
  const { provider, image, directory } = params
  return { provider, image, directory, ...(inner && { inner }), files: startFiles(params, context) }
}

function startFiles({ provider, innerPort, gateways, emailSecret }: ProxyParams, { ports }: TaskContext): Readonly<Record<string, string>> {
  if (provider === 'caddy') return {}
  const email = emailSecret === null ? undefined : ports.secrets.get(emailSecret).trim()
  return { [traefikStaticFile]: renderYaml(traefikStatic({ innerPort, gateways, ...(email !== undefined && { email }) })) }
}

async function bringUp(params: ProxyParams, host: Host, context: TaskContext): Promise<void> {
  host.changed()
  const before = (await host.observe()).edge?.proxy
  const settings = settingsOf(params, before, context)
  await context.guard()
  await refuseToTakeOver(params, before, host)
  for (const folder of [routeFolder, liveFolder, maintenanceFolder, dataFolder]) await host.edge.files.makeDirectory(folder, modes.folder)
  for (const [name, text] of Object.entries(settings.files)) await host.edge.files.write(name, Buffer.from(text), modes.file)
  if (params.provider === 'caddy') await prepareCaddy(host, params.innerPort)
  else await host.edge.files.write(`${routeFolder}/stagecraft-api.yml`, Buffer.from(renderYaml(traefikApiRoute())), modes.file)
  await host.edge.files.write(composeFile, Buffer.from(proxyCompose(settings, await ownUser(host))), modes.file)
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
  for (const network of await routedNetworks(host)) if (made) await host.engine.joinNetwork(network, made.id)
  faultPoint('proxy-joined', context)
  await compose(params, host, context, ['start', proxyService])
  faultPoint('proxy-started', context)
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

async function ownUser(host: Host): Promise<string> {
  const { stdout } = await host.run({ argv: ['id'] })
  const found = /uid=(\d+).* gid=(\d+)/.exec(stdout)
  return found ? `${found[1]}:${found[2]}` : '0:0'
}

async function routedNetworks(host: Host): Promise<readonly string[]> {
  const filter = `label=${edgeLabel}.network`
  const { stdout } = await host.run({ argv: ['docker', 'network', 'ls', '--filter', filter, '--format', '{{.Name}}'] })
  return stdout.split('\n').filter((name) => name !== '')
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
