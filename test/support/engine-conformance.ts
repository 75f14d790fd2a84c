/** What every migration engine does, whatever stands behind it: spec/core/migrations.md. */
import type { Test } from 'uvu'
import * as assert from 'uvu/assert'
import type { TaskContext } from '../../tasks/kind.ts'
import type { MigrationEngine } from '../../tasks/migration/engine.ts'
import type { MigrationParams } from '../../tasks/migration/params.ts'
import { rejects, within } from './assertions.ts'

export interface EngineWorld {
  readonly params: MigrationParams
  readonly context: TaskContext
  /** Adds a migration to the project. */
  add(): Promise<void>
  /** What has been done to the database so far; looking leaves it as it is. */
  effects(): number
  /** From now on applying fails. */
  breakIt(): void
}

/** @param world a new project with at least one migration, none of which is applied. */
export function engineConformance(
  test: Test,
  engine: MigrationEngine,
  world: (work: (made: EngineWorld) => Promise<void>) => Promise<void>,
): void {
  const check = (name: string, work: (made: EngineWorld) => Promise<void>) =>
    test(`${engine.id}: ${name}`, () => world((made) => within(5_000, work(made))))
  const states = async ({ params, context }: EngineWorld, more: Partial<MigrationParams> = {}) =>
    (await engine.plan({ ...params, ...more }, context)).steps.map(({ state }) => state)

  check('lists the same, in the same order, each with all that describes it', async ({ params, context }) => {
    const migrations = await engine.list(params, context)
    assert.ok(migrations.length > 0)
    assert.equal(await engine.list(params, context), migrations)
    for (const { id, description, tags, source, checksum } of migrations) {
      assert.ok(id && description && source.startsWith(`${engine.id}:`))
      assert.match(checksum, /^[0-9a-f]{64}$/)
      assert.equal(tags, [...tags].sort())
    }
  })

  check('a plan names the engine and lists what there is, and touches nothing', async (made) => {
    const plan = await engine.plan(made.params, made.context)
    assert.is(plan.engine, engine.id)
    const described = plan.steps.map(({ state: _state, ...migration }) => migration)
    assert.equal(described, await engine.list(made.params, made.context))
    assert.ok(plan.steps.every(({ state }) => state === 'pending'))
    assert.equal(await engine.plan(made.params, made.context), plan)
    assert.is(made.effects(), 0)
  })

  check('what was applied is not pending, and not applied again', async (made) => {
    const applied = await engine.apply(made.params, made.context)
    assert.equal(
      applied,
      (await engine.list(made.params, made.context)).map(({ id }) => id),
    )
    const effects = made.effects()
    assert.ok(effects > 0)
    assert.ok((await states(made)).every((state) => state === 'applied'))
    assert.equal(await engine.apply(made.params, made.context), [])
    assert.is(made.effects(), effects)
  })

  check('what is new is pending', async (made) => {
    await engine.apply(made.params, made.context)
    await made.add()
    assert.ok((await states(made)).includes('pending'))
    await engine.apply(made.params, made.context)
    assert.not.ok((await states(made)).includes('pending'))
  })

  check('what failed is still pending', async (made) => {
    made.breakIt()
    await rejects(engine.apply(made.params, made.context))
    assert.ok((await states(made)).includes('pending'))
  })

  check('an id there is none of is refused, and a tag nothing has selects nothing', async (made) => {
    await rejects(engine.plan({ ...made.params, ids: ['nobody'] }, made.context), /there is no migration `nobody`/)
    assert.equal(await states(made, { tags: ['nothing'] }), [])
    assert.equal(await engine.apply({ ...made.params, tags: ['nothing'] }, made.context), [])
    assert.is(made.effects(), 0)
  })
}
