import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Failure, Fingerprint } from '../../../graph/types.ts'
import { KeptServices, type StartedFor } from '../../../src/execution/kept-services.ts'
import { rejects } from '../../support/assertions.ts'
import { id, task } from '../../support/fake-run.ts'

const test = suite('src/execution/kept-services')

const failure: Failure = { reason: 'exit', subject: 'web', message: 'exited with code 1' }

function kept() {
  const said: string[] = []
  const services = new KeptServices({ onEnd: (name) => said.push(`${name} ended`) })
  const ends = new Map<string, (failure?: Failure) => void>()
  const hold = (name: string, version: string, needs: string[] = []) =>
    services.hold(task(name, { needs }), version as Fingerprint, async (why: StartedFor) => {
      said.push(`+${name}${version} ${why}`)
      const ended = new Promise<Failure | undefined>((resolve) => ends.set(name, resolve))
      return {
        ended,
        async stop() {
          said.push(`-${name}${version}`)
          ends.get(name)?.()
        },
      }
    })
  const end = async (name: string) => {
    ends.get(name)?.(failure)
    await new Promise(setImmediate)
  }
  return { services, hold, end, said }
}

test('what is as it should be runs on; what changed is stopped and started', async () => {
  const { services, hold, said } = kept()
  const first = await hold('s:web', '1')
  await first.stop()
  await hold('s:web', '1')
  assert.equal(said, ['+s:web1 first'], 'a run that ends stops nothing')
  await hold('s:web', '2')
  assert.equal(said, ['+s:web1 first', '-s:web1', '+s:web2 change'])
  assert.equal(services.running, [id('s:web')])
})

test('before one is stopped, those that were made from it are', async () => {
  const { hold, said } = kept()
  await hold('s:db', '1')
  await hold('s:api', '1', ['s:db'])
  await hold('s:web', '1', ['s:api'])
  await hold('s:db', '2')
  assert.equal(said.slice(3), ['-s:web1', '-s:api1', '-s:db1', '+s:db2 change'])
})

test('one that ends by itself is told when no run relies on it, and started again when it is asked for', async () => {
  const { services, hold, end, said } = kept()
  const held = await hold('s:web', '1')
  await end('s:web')
  assert.equal(await held.ended, failure)
  assert.equal(said, ['+s:web1 first'], 'the run tells it')
  assert.ok(services.isWanted(id('s:web')))
  const again = await hold('s:web', '1')
  await again.stop()
  await end('s:web')
  assert.equal(said.slice(1), ['+s:web1 end', 's:web ended'])
  assert.equal(services.running, [])
})

test('one that did not get ready is tried again', async () => {
  const { services, hold, said } = kept()
  const refused = () => Promise.reject(new Error('not ready'))
  await rejects(services.hold(task('s:web'), '1' as Fingerprint, refused), /not ready/)
  assert.equal([services.running, services.isWanted(id('s:web'))], [[], true])
  await hold('s:web', '1')
  assert.equal(said, ['+s:web1 end'])
})

test('what is no task any more is stopped, and in the end all, the last first', async () => {
  const { services, hold, said } = kept()
  for (const name of ['s:a', 's:b', 's:c']) await hold(name, '1')
  await services.retain(new Set([id('s:a'), id('s:c')]))
  assert.not(services.isWanted(id('s:b')))
  await services.stopAll()
  assert.equal(said.slice(3), ['-s:b1', '-s:c1', '-s:a1'])
})

test('what services print goes to the latest run', () => {
  const { services } = kept()
  const heard: string[] = []
  const line = { type: 'output', task: task('s:a'), at: 0, line: 'x' } as const
  services.tell(line)
  services.listen((event) => heard.push(`first ${event.type}`))
  services.tell(line)
  services.listen((event) => heard.push(`second ${event.type}`))
  services.tell(line)
  assert.equal(heard, ['first output', 'second output'])
})

test.run()
