import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ActHosts, actNote } from '../../../src/audit/acts.ts'
import type { AppendOnly } from '../../../src/hosts/append-only.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import { CapturedStream } from '../../support/captured-stream.ts'

const test = suite('src/audit/acts')

function rig(refusals: readonly TaskFailure[] = []) {
  const log: string[] = []
  const left = [...refusals]
  const into = (name: string): AppendOnly => ({
    append: async (path, make) => {
      const { bytes } = make({ head: undefined, sizeBytes: 0, nowSeconds: 0, tail: new Uint8Array() })
      const { what, result, detail } = JSON.parse(Buffer.from(bytes).toString()) as Record<string, string>
      log.push(`${name}/${path} ${what} ${result} ${detail ?? ''}`.trim())
    },
    read: async () => ({ bytes: undefined, head: undefined }),
  })
  const acquire = async () => {
    const refusal = left.shift()
    if (refusal) throw refusal
    log.push('locked')
    return { release: async () => void log.push('released') }
  }
  const hosts: ActHosts = { appendOnly: into, acts: (name) => ({ appendOnly: into(`${name}/acts`), lock: { acquire } }) }
  const stderr = new CapturedStream()
  return { log, hosts, stderr, app: { env: {}, stderr: stderr.asTerminal() } }
}

test('under the lock of the primary host it goes into the audit itself', async () => {
  const { hosts, log, app } = rig()
  await actNote(hosts, 'h1', ['h1', 'h2'], app)({ what: 'restart web', result: 'done' })
  assert.equal(log, ['h1/audit.jsonl restart web done'])
})

test('without it, into one of its own, under a lock of its own that is waited for', async () => {
  const held = new TaskFailure({ reason: 'lock-held', subject: 'h1', message: 'held' })
  const { hosts, log, app } = rig([held])
  await actNote(hosts, 'h1', ['h2'], app)({ what: 'exec web', result: 'begun', detail: 'sh' })
  assert.equal(log, ['locked', 'h1/acts/audit.jsonl exec web begun sh', 'released'])
})

test('what cannot be told is a warning; without a primary host there is nobody to tell', async () => {
  const gone = new TaskFailure({ reason: 'unreachable', subject: 'h1', message: 'h1 is gone' })
  const { hosts, log, app, stderr } = rig([gone])
  await actNote(hosts, 'h1', [], app)({ what: 'exec web', result: 'begun' })
  await actNote(hosts, undefined, [], app)({ what: 'exec web', result: 'begun' })
  assert.equal(log, [])
  assert.is(stderr.text, 'warning: the audit was not written: h1 is gone\n')
})

test.run()
