/** Every engine passes one suite. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { migrationEngines } from '../../../src/providers/migration/index.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import { engineOf, engines } from '../../../tasks/migration/engines.ts'
import { type EngineWorld, engineConformance } from '../../support/engine-conformance.ts'
import { FakeDatabase } from '../../support/fake-database.ts'
import { HookRig } from '../../support/hook-rig.ts'
import { migrationContext } from '../../support/migration-context.ts'
import { inTemporaryDirectory } from '../../support/temporary-directory.ts'

const test = suite('tasks/migration/conformance')

test('what the manifest may name and what acts are the same engines', () => {
  assert.equal([...engines.keys()].sort(), migrationEngines.map(({ id }) => id).sort())
  for (const [id, engine] of engines) assert.is(engine.id, id)
  assert.throws(() => engineOf('dbmate'), /no migration engine is called dbmate/)
})

for (const engine of engines.values()) engineConformance(test, engine, (work) => worldOf(engine.id, work))

/** A project of one migration, and a database and programs that only remember what they were told. */
function worldOf(id: string, work: (made: EngineWorld) => Promise<void>): Promise<void> {
  return inTemporaryDirectory(async (directory) => {
    const folder = join(directory, 'db')
    await mkdir(folder)
    let count = 0
    const add = async () => {
      count += 1
      await writeFile(join(folder, `00${count}.sql`), `-- stagecraft: tags b, a\nselect ${count}`)
    }
    await add()
    const database = new FakeDatabase()
    let isBroken = false
    const rig = new HookRig({}, { D: 'postgres://x' })
    rig.program = async () => ({ code: isBroken ? 1 : 0 })
    database.onApply = () => {
      if (isBroken) throw new TaskFailure({ reason: 'refused', subject: 'x', message: 'no' })
    }
    const { context } = migrationContext({ projectDirectory: directory, database: async () => database })
    const { programs, secrets, environment } = rig.context().ports
    const command = { argv: ['apply'], check: null, env: [], timeoutMs: 1000, container: null }
    await work({
      params: {
        ...{ database: 'main', engine: id, path: 'db', table: 't', connectionEnv: 'D', waitSeconds: 0 },
        ...(id === 'raw' ? {} : { command }),
      },
      context: { ...context, ports: { ...context.ports, programs, secrets, environment } },
      add,
      effects: () => rig.requests.length + database.asked.filter((word) => /^(apply|record)/.test(word)).length,
      breakIt: () => {
        isBroken = true
      },
    })
  })
}

test.run()
