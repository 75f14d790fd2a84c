/** Providers of continuous integration. */
import * as assert from 'uvu/assert'
import type { CiProvider } from '../../../src/providers/ci.ts'
import { calling, endsWhenAborted, everyProvider, parsed, type Sample, type Test } from './every-provider.ts'

export interface CiSample extends Sample<CiProvider> {
  readonly env: Readonly<Record<string, string>>
  readonly secrets: readonly string[]
}

export function ciProvider(test: Test, sample: CiSample): void {
  everyProvider(test, 'ci', sample)
  const { provider, env, secrets } = sample
  const about = `ci ${provider.id}`
  const config = parsed(sample)
  const project = { name: 'shop', environments: ['prod', 'staging'] }

  test(`${about}: the workflow is pure, sorted, in the project, and holds no secret`, () => {
    const files = provider.workflow(config, project)
    assert.ok(files.length > 0)
    assert.equal(provider.workflow(config, project), files)
    const paths = files.map(({ path }) => path)
    assert.equal(paths, [...paths].sort())
    for (const path of paths) assert.not.match(path, /^(\/|\.\.)|\/\.\.\//)
    for (const { text } of files) {
      assert.ok(text.endsWith('\n'))
      for (const secret of secrets) assert.not.ok(text.includes(secret))
    }
  })
  test(`${about}: a run that was started has an id and an address, and its log no secret`, async () => {
    const { call, lines } = calling(env)
    const run = await provider.trigger(config, 'prod', 'v1.4.0', call)
    assert.ok(run.id.length > 0)
    assert.match(run.url, /^https:\/\//)
    for (const secret of secrets) assert.not.ok([...lines, run.url].some((text) => text.includes(secret)))
  })
  test(`${about}: what is canceled ends`, () => endsWhenAborted((call) => provider.trigger(config, 'prod', 'v1', call)))
}
