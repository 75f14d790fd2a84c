import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createReleaseStore } from '../../../src/releases/store.ts'
import type { Project } from '../../../src/session/open-project.ts'
import { stillCurrent } from '../../../src/session/still-current.ts'
import { release } from '../../support/releases.ts'
import { failureOf } from '../../support/ssh-server.ts'
import { inTemporaryDirectory } from '../../support/temporary-directory.ts'
import { testApp } from '../../support/test-app.ts'

const test = suite('src/session/still-current')

const first = release('rel-20260102-030405001')
const second = release('rel-20260102-030405002')

async function check(from: string | undefined, ...releases: readonly ReturnType<typeof release>[]): Promise<void> {
  await inTemporaryDirectory(async (directory) => {
    await createReleaseStore({ projectDirectory: directory }).update(() => releases)
    const project = { deployment: { environment: 'prod' }, directory } as unknown as Project
    await stillCurrent(project, { from, to: 'rel-0', notices: [] }, testApp(directory).app)
  })
}

test('what was live when the choice was made is live now: go on', async () => {
  await check(first.id, first)
  await check(undefined, release(first.id, { kind: 'build' }))
})

test('another release came in between: nothing is done', async () => {
  const failure = await failureOf(check(first.id, first, second))
  assert.match(failure.message, new RegExp(`${second.id} is live now, and not ${first.id}`))
})

test.run()
