/** Every provider against the suite of its role; roles without one yet against the least there can be. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { builtInProviders } from '../../../src/providers/built-in.ts'
import type { CiProvider } from '../../../src/providers/ci.ts'
import type { CloudProvider } from '../../../src/providers/cloud.ts'
import type { NetworkProvider } from '../../../src/providers/network.ts'
import type { SecretsProvider } from '../../../src/providers/secrets.ts'
import { ciProvider } from '../../support/conformance/ci-provider.ts'
import { cloudProvider } from '../../support/conformance/cloud-provider.ts'
import { everyProvider } from '../../support/conformance/every-provider.ts'
import { imageProvider } from '../../support/conformance/image-provider.ts'
import { ci, memoryCloud, memoryHost, memorySecrets, network } from '../../support/conformance/in-memory.ts'
import { networkProvider } from '../../support/conformance/network-provider.ts'
import { secretsProvider } from '../../support/conformance/secrets-provider.ts'

const test = suite('providers/conformance')
const registries = builtInProviders()

const wholeBuild = {
  build: { dockerfile: 'Dockerfile.api', context: 'api', target: 'runtime', args: { A: 'b' }, labels: { c: 'd' }, platform: 'linux/arm64' },
}
const images = {
  generic: {
    block: wholeBuild,
    faulty: [
      [{ build: { contxt: '.' } }, /^SC1003 unknown key `contxt`/],
      [{ build: { platform: 'amd64' } }, /^SC1011 expected a platform such as `linux\/amd64`/],
      [{ build: 3 }, /^SC1009 expected a map/],
    ],
  },
  'encore-ts': {
    block: { build: { workdir: 'api', image_name: 'shop-api', docker_tag_suffix: '-eu' } },
    faulty: [
      [{ build: { workdr: '.' } }, /^SC1003 unknown key `workdr`/],
      [{ build: { image_name: 'Shop' } }, /^SC1011 expected lower-case letters/],
      [{ build: 3 }, /^SC1009 expected a map/],
    ],
  },
} as const

/** A provider that is added needs a sample here: without one its test fails. */
function sampleOf<T>(samples: Readonly<Record<string, T>>, id: string): T {
  const sample = samples[id]
  if (sample === undefined) throw new Error(`no sample of provider ${id}: add one`)
  return sample
}

for (const role of ['backend', 'frontend'] as const) {
  for (const provider of registries[role].list()) imageProvider(test, role, { provider, ...sampleOf(images, provider.id) })
}

for (const provider of registries.edge.list()) {
  const block = { image: `${provider.id}:3`, inner_port: 8000, acme_email_env: 'MAIL', acme_server: 'https://acme.example/directory' }
  everyProvider(test, 'edge', {
    provider,
    block,
    faulty: [
      [{ inner_port: 70000 }, /^SC1011 expected at most 65535/],
      [{ imge: 'x' }, /^SC1003 unknown key `imge`/],
    ],
  })
}

const engines = { raw: { schema_table: 'public.migrations' } }
for (const provider of registries.migration.list()) {
  const block = (engines as Readonly<Record<string, (typeof engines)['raw']>>)[provider.id] ?? {}
  everyProvider(test, 'migration', { provider, block, faulty: [] })
}

test('roles that nobody provides for yet have empty registries: their keys are refused', () => {
  for (const role of ['network', 'cloud', 'ci', 'secrets'] as const) assert.equal(registries[role].ids(), [], role)
})

const token = 'token-that-nobody-may-see'
const noToken = [{ token_env: 'lower' }, /^SC1010|^SC1011/] as const

networkProvider(test, {
  provider: network as unknown as NetworkProvider,
  block: { token_env: 'TOKEN', domain: 'acme.example' },
  faulty: [
    [{ token_env: 'TOKEN', domain: 'acme' }, /^SC1011 expected a domain/],
    [{ token_env: 'TOKEN', domain: 'a.b', doman: 1 }, /^SC1003 unknown key `doman`/],
  ],
  host: memoryHost,
  env: { TOKEN: token },
  secrets: [token],
})

cloudProvider(test, {
  provider: memoryCloud().provider as unknown as CloudProvider,
  block: { token_env: 'TOKEN', region: 'x', hosts: { prod: { 'node-2': { role: 'app' }, 'node-1': { role: 'app', size: 'large' } } } },
  faulty: [
    [
      { token_env: 'TOKEN', region: 'x', hosts: { prod: { a: {} } } },
      /^SC1010 `cloud\.providers\.in-memory\.hosts\.prod\.a\.role` is required/,
    ],
  ],
  fresh: () => memoryCloud() as unknown as { readonly provider: CloudProvider; foreignMachines(): readonly string[] },
  environment: 'prod',
  env: { TOKEN: token },
  wanted: ['node-1', 'node-2'],
})

ciProvider(test, {
  provider: ci as unknown as CiProvider,
  block: { token_env: 'TOKEN', node: 20 },
  faulty: [noToken],
  env: { TOKEN: token },
  secrets: [token],
})

secretsProvider(test, {
  provider: memorySecrets({}, {}).provider as unknown as SecretsProvider,
  block: { prefix: 'A_' },
  faulty: [[{ prefix: 3 }, /^SC1009 expected text/]],
  holding: (values, held) =>
    memorySecrets(values, held) as unknown as { readonly provider: SecretsProvider; target(): Readonly<Record<string, string>> },
})

test.run()
