/** Providers of secrets. */
import * as assert from 'uvu/assert'
import type { SecretsProvider } from '../../../src/providers/secrets.ts'
import { calling, endsWhenAborted, everyProvider, parsed, type Sample, type Test } from './every-provider.ts'

export interface SecretsSample extends Sample<SecretsProvider> {
  /** A provider whose place `source` holds the values and whose place `target` holds `held`. */
  holding(
    values: Readonly<Record<string, string>>,
    held: Readonly<Record<string, string>>,
  ): {
    readonly provider: SecretsProvider
    target(): Readonly<Record<string, string>>
  }
}

export function secretsProvider(test: Test, sample: SecretsSample): void {
  everyProvider(test, 'secrets', sample)
  const about = `secrets ${sample.provider.id}`
  const config = parsed(sample)
  const values = { A: 'value-of-a', B: 'value-of-b', C: 'value-of-c' }

  test(`${about}: values are copied, what became of each key is told by name, and nothing is deleted`, async () => {
    const { provider, target } = sample.holding(values, { B: 'old', C: 'value-of-c', OWN: 'stays' })
    const { call } = calling()
    const report = await provider.sync(config, 'source', 'target', [], call)
    assert.equal(report, { added: ['A'], updated: ['B'], unchanged: ['C'], skipped: [] })
    assert.equal(target(), { ...values, OWN: 'stays' })
  })
  test(`${about}: only the keys that were asked for, and one that is not there is said`, async () => {
    const { provider, target } = sample.holding(values, {})
    const { call } = calling()
    const report = await provider.sync(config, 'source', 'target', ['Z', 'B'], call)
    assert.equal(report, { added: ['B'], updated: [], unchanged: [], skipped: ['Z'] })
    assert.equal(target(), { B: 'value-of-b' })
  })
  test(`${about}: again, nothing is left to do`, async () => {
    const { provider } = sample.holding(values, {})
    const { call } = calling()
    await provider.sync(config, 'source', 'target', [], call)
    assert.equal(await provider.sync(config, 'source', 'target', [], call), {
      added: [],
      updated: [],
      unchanged: ['A', 'B', 'C'],
      skipped: [],
    })
  })
  test(`${about}: no value is in a report or a log`, async () => {
    const { provider } = sample.holding(values, { B: 'old-value' })
    const { call, lines } = calling()
    const report = await provider.sync(config, 'source', 'target', [], call)
    for (const value of [...Object.values(values), 'old-value'])
      assert.not.ok(`${JSON.stringify(report)}${lines.join('\n')}`.includes(value))
  })
  test(`${about}: what is canceled ends, and copied nothing`, async () => {
    const { provider, target } = sample.holding(values, {})
    await endsWhenAborted((call) => provider.sync(config, 'source', 'target', [], call))
    assert.equal(target(), {})
  })
}
