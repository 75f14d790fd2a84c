/** The least provider of each role that no real one exists for yet: they keep everything in memory, and show that the interfaces can be kept. */
import { z } from 'zod'
import type { CiProvider } from '../../../src/providers/ci.ts'
import type { CloudProvider, Machine, MachineSpec } from '../../../src/providers/cloud.ts'
import type { NetworkHost, NetworkProvider } from '../../../src/providers/network.ts'
import type { SecretsProvider } from '../../../src/providers/secrets.ts'

const tokenVariable = z
  .string()
  .regex(/^[A-Z_]+$/, 'expected the name of an environment variable')
  .describe('Variable that holds the token.')

const networkConfig = z.strictObject({
  token_env: tokenVariable,
  domain: z.string().regex(/\./, 'expected a domain').describe('Of the network.'),
})

export const network: NetworkProvider<z.output<typeof networkConfig>> = {
  role: 'network',
  id: 'in-memory',
  summary: 'a network of nothing',
  config: networkConfig,
  async ensureInstalled(_config, host, { signal }) {
    signal.throwIfAborted()
    await host.run(['install', 'mesh'], { signal })
  },
  async ensureJoined({ token_env: name }, host, tags, { signal, env, log }) {
    signal.throwIfAborted()
    log(`${host.name} joins`)
    await host.run(['join', ...tags], { stdin: env[name] ?? '', signal })
  },
  nodeName: ({ domain }, host) => `${host}.${domain}`,
  async status(_config, host, { signal }) {
    const { stdout } = await host.run(['status'], { signal })
    const { installed = false, tags } = JSON.parse(stdout) as { installed?: boolean; tags?: string[] }
    return { installed, joined: tags !== undefined, online: tags !== undefined, tags: [...(tags ?? [])].sort(), addresses: [] }
  },
}

/** A host that understands the three programs of {@link network}. */
export function memoryHost(): NetworkHost & { readonly argvSeen: readonly string[] } {
  const state: { installed?: boolean; tags?: readonly string[] } = {}
  const argvSeen: string[] = []
  return {
    name: 'node-1',
    argvSeen,
    run(argv) {
      argvSeen.push(...argv)
      if (argv[0] === 'install') state.installed = true
      if (argv[0] === 'join') state.tags = argv.slice(1)
      return Promise.resolve({ exitCode: 0, stdout: JSON.stringify(state) })
    },
  }
}

const machine = z.strictObject({ role: z.string(), size: z.string().default('small') })
const cloudConfig = z.strictObject({
  token_env: tokenVariable,
  region: z.string().min(1).describe('Where machines are made.'),
  hosts: z.record(z.string(), z.record(z.string(), machine)).describe('Machines by environment and name.'),
})
type CloudConfig = z.output<typeof cloudConfig>

/** A cloud with one machine that is somebody else's. */
export function memoryCloud(): { readonly provider: CloudProvider<CloudConfig>; foreignMachines(): readonly string[] } {
  const machines = new Map<string, Machine & { readonly owner: string }>()
  machines.set('1', { id: '1', owner: 'somebody', name: 'prod-node-1', role: 'app', size: 'small', region: 'x', tags: [] })
  const ours = (environment: string) => [...machines.values()].filter(({ owner }) => owner === environment)
  const specs = (config: CloudConfig, environment: string): MachineSpec[] =>
    Object.entries(config.hosts[environment] ?? {})
      .map(([name, { role, size }]) => ({ name, role, size, region: config.region }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  return {
    foreignMachines: () => ours('somebody').map(({ id }) => id),
    provider: {
      role: 'cloud',
      id: 'in-memory',
      summary: 'machines of nothing',
      config: cloudConfig,
      plan(config, environment, { signal }) {
        if (signal.aborted) return Promise.reject(signal.reason as Error)
        const there = ours(environment).map(({ name }) => name)
        const wanted = specs(config, environment)
        const extra = ours(environment).filter(({ name }) => !wanted.some((one) => one.name === name))
        return Promise.resolve({
          toCreate: wanted.filter(({ name }) => !there.includes(name)),
          toDelete: extra.map(({ name, role, size, region }) => ({ name, role, size, region })),
        })
      },
      apply(_config, environment, { toCreate, toDelete }, { signal }) {
        if (signal.aborted) return Promise.reject(signal.reason as Error)
        for (const spec of toCreate) {
          if (ours(environment).some(({ name }) => name === spec.name)) continue
          const id = String(machines.size + 1)
          machines.set(id, { ...spec, id, tags: [], owner: environment })
        }
        for (const { id, name } of ours(environment)) if (toDelete.some((one) => one.name === name)) machines.delete(id)
        return Promise.resolve()
      },
      machines: (_config, environment) => Promise.resolve(ours(environment).map(({ owner: _, ...rest }) => rest)),
    },
  }
}

const ciConfig = z.strictObject({ token_env: tokenVariable, node: z.int().default(22).describe('Version of Node.js there.') })

export const ci: CiProvider<z.output<typeof ciConfig>> = {
  role: 'ci',
  id: 'in-memory',
  summary: 'runs of nothing',
  config: ciConfig,
  workflow: ({ node }, { environments }) => environments.map((name) => ({ path: `.ci/${name}.yml`, text: `node: ${node}\n` })),
  trigger(_config, environment, version, { signal, log }) {
    if (signal.aborted) return Promise.reject(signal.reason as Error)
    log(`starting ${environment}`)
    return Promise.resolve({ id: '1', url: `https://ci.example/${environment}/${version}` })
  },
}

const secretsConfig = z.strictObject({ prefix: z.string().default('').describe('Of keys.') })

export function memorySecrets(
  values: Readonly<Record<string, string>>,
  held: Readonly<Record<string, string>>,
): { readonly provider: SecretsProvider<z.output<typeof secretsConfig>>; target(): Readonly<Record<string, string>> } {
  const target: Record<string, string> = { ...held }
  return {
    target: () => target,
    provider: {
      role: 'secrets',
      id: 'in-memory',
      summary: 'a place of nothing',
      config: secretsConfig,
      sync(_config, _source, _target, keys, { signal, log }) {
        if (signal.aborted) return Promise.reject(signal.reason as Error)
        const wanted = [...(keys.length > 0 ? keys : Object.keys(values))].sort()
        const became = (key: string) => {
          if (values[key] === undefined) return 'skipped'
          if (target[key] === undefined) return 'added'
          return target[key] === values[key] ? 'unchanged' : 'updated'
        }
        const outcome = new Map(wanted.map((key) => [key, became(key)]))
        const of = (what: string) => wanted.filter((key) => outcome.get(key) === what)
        for (const key of wanted) if (values[key] !== undefined) target[key] = values[key]
        log(`${wanted.length} keys`)
        return Promise.resolve({ added: of('added'), updated: of('updated'), unchanged: of('unchanged'), skipped: of('skipped') })
      },
    },
  }
}
