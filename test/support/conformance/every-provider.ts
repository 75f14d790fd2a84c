/** What every provider keeps to, whatever its role; the other suites of this folder add what its role asks for. */
import * as assert from 'uvu/assert'
import { z } from 'zod'
import type { Json, JsonObject } from '../../../graph/types.ts'
import { type LoadOptions, parseConfig } from '../../../src/config/load.ts'
import { builtInProviders, type Registries } from '../../../src/providers/built-in.ts'
import type { Provider, ProviderCall } from '../../../src/providers/provider.ts'
import { ProviderRegistry } from '../../../src/providers/registry.ts'

/** A uvu suite, as far as conformance needs it. */
export type Test = (name: string, work: () => void | Promise<void>) => void

/** A provider and blocks to try it with. */
export interface Sample<P extends Provider> {
  readonly provider: P
  /** A block that says all it can, as it stands in a manifest. */
  readonly block: JsonObject
  /** Blocks that are wrong, and what is said about each. */
  readonly faulty: readonly (readonly [block: Json, message: RegExp])[]
}

/** A call that notes what was logged. */
export function calling(env: ProviderCall['env'] = {}, signal: AbortSignal = new AbortController().signal) {
  const lines: string[] = []
  return { call: { signal, env, log: (line: string) => void lines.push(line) } satisfies ProviderCall, lines }
}

/** The block as the provider gets it, defaults filled in. */
export function parsed<P extends Provider>({ provider, block }: Sample<P>) {
  return provider.config.parse(block)
}

export function everyProvider<P extends Provider>(test: Test, role: Provider['role'], sample: Sample<P>): void {
  const { provider, block, faulty } = sample
  const about = `${role} ${provider.id}`

  test(`${about}: it stands under its role, with an id that fits a manifest and a line about itself`, () => {
    assert.is(provider.role, role)
    assert.match(provider.id, /^[a-z0-9][a-z0-9-]*$/)
    assert.ok(provider.summary.length > 0 && !provider.summary.endsWith('.'))
  })
  test(`${about}: its schema takes a whole block, refuses unknown keys, and fills in the same defaults again`, () => {
    const once = parsed(sample)
    assert.equal(provider.config.parse(block), once)
    assert.ok(provider.config.safeParse({ ...block, 'no-such-key': 1 }).error, 'unknown keys are taken')
    assert.type(once, 'object')
  })
  test(`${about}: editors can be told of every key`, () => {
    const schema = z.toJSONSchema(provider.config, { io: 'input', target: 'draft-7', unrepresentable: 'any' })
    assert.is(schema.type, 'object')
    assert.is(schema.additionalProperties, false)
    for (const [key, member] of Object.entries(schema.properties ?? {}))
      assert.ok(typeof member === 'object' && member.description, `\`${key}\` has no description`)
  })
  if (role === 'migration') return

  for (const [wrong, message] of faulty) {
    test(`${about}: a fault in its block has a code and a line: ${JSON.stringify(wrong)}`, () => {
      const said = about_(blockOf(provider.id, wrong)).filter(({ location }) => location?.line === 3)
      assert.is(said.length, 1, JSON.stringify(said))
      assert.match(`${said[0]?.code} ${said[0]?.message}`, message)
    })
  }

  // --- the four steps, the same for every role ---
  const steps: readonly (readonly [what: string, block: Json, code: string, message: string])[] = [
    ['names no provider', { providers: {} }, 'SC1014', `\`${role}.provider\` is required`],
    ['names an empty one', { provider: ' ', providers: {} }, 'SC1014', `expected the id of a provider in ${role}.provider, found \` \``],
    [
      'names an unknown one',
      { provider: 'nobody', providers: {} },
      'SC1015',
      `there is no ${role} provider \`nobody\`, only \`${provider.id}\``,
    ],
    [
      'has a list of providers',
      { provider: provider.id, providers: [] },
      'SC1016',
      `expected a map in ${role}.providers, found an empty list`,
    ],
  ]
  for (const [what, wrong, code, message] of role === 'edge' ? steps.slice(1) : steps) {
    test(`${about}: a block that ${what} is refused with the whole sentence`, () => {
      const said = about_(wrong)
      assert.equal(
        said.map((one) => [one.code, one.message]),
        [[code, message]],
      )
      assert.is(said[0]?.location?.line, 3)
    })
  }
  test(`${about}: the entry that is selected must be there, others are not looked at`, () => {
    if (role !== 'edge') {
      const said = about_({ provider: provider.id, providers: { other: {} } })
      assert.equal(
        said.map((one) => [one.code, one.message]),
        [['SC1016', `\`${role}.providers.${provider.id}\` is required: \`${provider.id}\` is selected`]],
      )
    }
    assert.equal(about_({ provider: provider.id, providers: { [provider.id]: block, other: [1, 'broken'] } }), [])
  })
  test(`${about}: a block nobody provides for is refused, not ignored`, () => {
    const said = about_(blockOf(provider.id, block), {})
    assert.is(said.length, 1)
    assert.match(said[0]?.code ?? '', /^SC101[25]$/)
  })

  function about_(written: Json, registries: Partial<Registries> = only()) {
    const none = new ProviderRegistry(role)
    const options: LoadOptions = { registries: { ...builtInProviders(), [role]: none, ...registries } }
    const text = `project: {name: shop}\nenvironments: {dev: {}}\n${role}: ${JSON.stringify(written)}\n`
    const checked = parseConfig(text, '/project/stagecraft.yml', options)
    return checked.ok ? [] : checked.diagnostics
  }
  function only(): Partial<Registries> {
    return { [role]: new ProviderRegistry<Provider>(role, [provider]) }
  }
}

function blockOf(id: string, entry: Json): Json {
  return { provider: id, providers: { [id]: entry } }
}

/** Work on a signal that is aborted already ends with the signal's own reason. */
export async function endsWhenAborted(work: (call: ProviderCall) => Promise<unknown>): Promise<void> {
  const controller = new AbortController()
  controller.abort(new Error('no longer wanted'))
  const { call } = calling({}, controller.signal)
  const end = await work(call).then(
    () => 'done',
    (error: unknown) => error,
  )
  assert.is(end, controller.signal.reason)
}
