/** Providers of machines. */
import * as assert from 'uvu/assert'
import type { CloudProvider } from '../../../src/providers/cloud.ts'
import { calling, endsWhenAborted, everyProvider, parsed, type Sample, type Test } from './every-provider.ts'

export interface CloudSample extends Sample<CloudProvider> {
  /** A cloud that has nothing but the machine of somebody else, named as if it were ours. */
  fresh(): { readonly provider: CloudProvider; foreignMachines(): readonly string[] }
  readonly environment: string
  readonly env: Readonly<Record<string, string>>
  /** Names of machines the block wants, sorted. */
  readonly wanted: readonly string[]
}

export function cloudProvider(test: Test, sample: CloudSample): void {
  everyProvider(test, 'cloud', sample)
  const { environment, env, wanted } = sample
  const about = `cloud ${sample.provider.id}`
  const config = parsed(sample)

  test(`${about}: a plan names what is missing, sorted, and changes nothing`, async () => {
    const { provider } = sample.fresh()
    const { call } = calling(env)
    const plan = await provider.plan(config, environment, call)
    assert.equal(
      plan.toCreate.map(({ name }) => name),
      wanted,
    )
    assert.equal(plan.toDelete, [])
    assert.equal(await provider.plan(config, environment, call), plan)
    assert.equal(await provider.machines(config, environment, call), [])
  })
  test(`${about}: a plan that was applied leaves nothing to do, and applied again changes nothing`, async () => {
    const { provider } = sample.fresh()
    const { call } = calling(env)
    const plan = await provider.plan(config, environment, call)
    await provider.apply(config, environment, plan, call)
    const there = await provider.machines(config, environment, call)
    assert.equal(there.map(({ name }) => name).sort(), wanted)
    assert.equal(
      there.map(({ id }) => id),
      there.map(({ id }) => id).sort(),
    )
    await provider.apply(config, environment, plan, call)
    assert.equal(await provider.machines(config, environment, call), there)
    assert.equal(await provider.plan(config, environment, call), { toCreate: [], toDelete: [] })
  })
  test(`${about}: machines of others are neither listed nor deleted`, async () => {
    const { provider, foreignMachines } = sample.fresh()
    const { call } = calling(env)
    const before = foreignMachines()
    assert.ok(before.length > 0)
    const plan = await provider.plan(config, environment, call)
    await provider.apply(config, environment, plan, call)
    const toDelete = (await provider.machines(config, environment, call)).map(({ name, role, size, region }) => ({
      name,
      role,
      size,
      region,
    }))
    await provider.apply(config, environment, { toCreate: [], toDelete }, call)
    assert.equal(await provider.machines(config, environment, call), [])
    assert.equal(foreignMachines(), before)
  })
  test(`${about}: what is canceled ends`, async () => {
    const { provider } = sample.fresh()
    await endsWhenAborted((call) => provider.apply(config, environment, { toCreate: [], toDelete: [] }, call))
    await endsWhenAborted((call) => provider.plan(config, environment, call))
  })
}
