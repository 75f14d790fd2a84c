/** Providers of a network between hosts. */
import * as assert from 'uvu/assert'
import type { NetworkHost, NetworkProvider } from '../../../src/providers/network.ts'
import { calling, endsWhenAborted, everyProvider, parsed, type Sample, type Test } from './every-provider.ts'

export interface NetworkSample extends Sample<NetworkProvider> {
  /** A host that has nothing of the network; each time another. */
  host(): NetworkHost & { readonly argvSeen: readonly string[] }
  readonly env: Readonly<Record<string, string>>
  /** Values in `env` that nobody may see. */
  readonly secrets: readonly string[]
}

export function networkProvider(test: Test, sample: NetworkSample): void {
  everyProvider(test, 'network', sample)
  const { provider, env, secrets } = sample
  const about = `network ${provider.id}`
  const config = parsed(sample)

  test(`${about}: a host comes into the network, and to do it again changes nothing`, async () => {
    const host = sample.host()
    const { call } = calling(env)
    assert.is((await provider.status(config, host, call)).installed, false)
    for (let time = 0; time < 2; time++) {
      await provider.ensureInstalled(config, host, call)
      await provider.ensureJoined(config, host, ['tag:b', 'tag:a'], call)
      const { installed, joined, online, tags } = await provider.status(config, host, call)
      assert.equal({ installed, joined, online, tags }, { installed: true, joined: true, online: true, tags: ['tag:a', 'tag:b'] })
    }
  })
  test(`${about}: tags are what was asked last, not what was asked ever`, async () => {
    const host = sample.host()
    const { call } = calling(env)
    await provider.ensureInstalled(config, host, call)
    await provider.ensureJoined(config, host, ['tag:a', 'tag:b'], call)
    await provider.ensureJoined(config, host, ['tag:b'], call)
    assert.equal((await provider.status(config, host, call)).tags, ['tag:b'])
  })
  test(`${about}: looking changes nothing`, async () => {
    const host = sample.host()
    const { call } = calling(env)
    assert.equal(await provider.status(config, host, call), await provider.status(config, host, call))
    assert.is((await provider.status(config, host, call)).joined, false)
  })
  test(`${about}: a host's name in the network needs no call before`, () => {
    assert.is(provider.nodeName(config, 'node-1'), provider.nodeName(config, 'node-1'))
    assert.match(provider.nodeName(config, 'node-1'), /^node-1\./)
    assert.is.not(provider.nodeName(config, 'node-1'), provider.nodeName(config, 'node-2'))
  })
  test(`${about}: no secret is in a list of processes or in a log`, async () => {
    const host = sample.host()
    const { call, lines } = calling(env)
    await provider.ensureInstalled(config, host, call)
    await provider.ensureJoined(config, host, ['tag:a'], call)
    assert.ok(host.argvSeen.length > 0)
    for (const secret of secrets) assert.not.ok([...host.argvSeen, ...lines].some((text) => text.includes(secret)))
  })
  test(`${about}: what is canceled ends`, async () => {
    await endsWhenAborted((call) => provider.ensureInstalled(config, sample.host(), call))
    await endsWhenAborted((call) => provider.ensureJoined(config, sample.host(), [], call))
  })
}
