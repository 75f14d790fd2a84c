/** State of tests: each has its own, however many run at once, and nobody's is left. */
import { existsSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createReleaseStore } from '../../src/releases/store.ts'
import { rejects } from './assertions.ts'
import { release } from './releases.ts'
import { filesBelow, textOf } from './source-tree.ts'
import { inTemporaryDirectory } from './temporary-directory.ts'

const test = suite('support/state-isolation')

test('suites that run at once each find the releases they wrote, and no others', async () => {
  const ids = Array.from({ length: 8 }, (_, index) => `rel-20260101-00000000${index}`)
  const found = await Promise.all(
    ids.map((id) =>
      inTemporaryDirectory(async (directory) => {
        const store = createReleaseStore({ projectDirectory: directory, env: {} })
        await store.update((releases) => [...releases, release(id)])
        await Promise.resolve()
        await store.update((releases) => [...releases, release(id, { id: `${id.slice(0, -1)}9` })])
        return (await store.read()).map((one) => one.id)
      }),
    ),
  )
  assert.equal(
    found,
    ids.map((id) => [id, `${id.slice(0, -1)}9`]),
  )
})

test('the folder is gone afterwards, also when the test failed', async () => {
  const folders: string[] = []
  await inTemporaryDirectory(async (directory) => void folders.push(directory))
  const failing = inTemporaryDirectory(async (directory) => {
    folders.push(directory)
    throw new Error('this test fails')
  })
  await rejects(failing, /this test fails/)
  assert.equal(folders.map(existsSync), [false, false])
})

test('no test changes the folder all tests run in, or where all of them keep their releases', () => {
  const shared = [/process\s*\.\s*chdir\(/, /process\.env(?:\.|\[')STAGECRAFT_STATE_FILE(?:'\])?\s*=[^=]/]
  const changing = filesBelow('test', '.ts').filter((path) => shared.some((way) => way.test(textOf(path))))
  assert.equal(changing, [])
})

test.run()
