/** Providers of images, of the roles `backend` and `frontend`. */
import * as assert from 'uvu/assert'
import type { ImageProvider } from '../../../src/providers/provider.ts'
import { everyProvider, parsed, type Sample, type Test } from './every-provider.ts'

export function imageProvider(test: Test, role: 'backend' | 'frontend', sample: Sample<ImageProvider>): void {
  everyProvider(test, role, sample)
  const about = `${role} ${sample.provider.id}`

  test(`${about}: a recipe is pure: the same block gives the same recipe, and is left as it was`, () => {
    const config = parsed(sample)
    const before = JSON.stringify(config)
    const [one, other] = [sample.provider.recipe(config), sample.provider.recipe(config)]
    assert.equal(one, other)
    assert.is(JSON.stringify(config), before)
  })
  test(`${about}: a recipe is complete, plain data, and stays in the project`, () => {
    const recipe = sample.provider.recipe(parsed(sample))
    if (!recipe) throw new Error('a whole block describes an image')
    assert.equal(JSON.parse(JSON.stringify(recipe)), recipe)
    for (const path of [recipe.context, recipe.dockerfile]) assert.not.match(path, /^(\/|\.\.)/)
    assert.ok(recipe.dockerfile.length > 0)
    for (const [key, value] of Object.entries({ ...recipe.args, ...recipe.labels })) assert.type(value, 'string', key)
    for (const platform of recipe.platforms) assert.match(platform, /^[a-z0-9]+\/[a-z0-9]+(\/[a-z0-9]+)?$/)
  })
}
