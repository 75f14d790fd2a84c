import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TaskFailure } from '../../tasks/kind.ts'
import { rollout } from '../../tasks/rollout.ts'
import { rejects, within } from '../support/assertions.ts'
import { image, lockLost, RolloutRig } from '../support/rollout-rig.ts'

const test = suite('tasks/rollout')

async function failureOf(promise: Promise<unknown>): Promise<TaskFailure['failure']> {
  const error = await rejects(within(5000, promise))
  if (!(error instanceof TaskFailure)) throw error
  return error.failure
}

// --- what it does ---------------------------------------------------------------------------------------------------

test('a first deploy creates through Compose, starts behind the gate, and then sets the restart policy', async () => {
  const r = new RolloutRig()
  const look = await r.observe()
  assert.equal(look, { fresh: false, because: { reason: 'absent', detail: 'not on the host yet' } })
  await r.run()
  assert.equal(r.steps(), [
    'compose up --no-start --no-recreate --no-deps --scale web=1 web',
    'setRestartPolicy id-made-1 no',
    'start id-made-1',
    'setRestartPolicy id-made-1 unless-stopped',
  ])
  assert.ok((await r.observe()).fresh)
  assert.is(r.host.engine.subscriptions, 0)
})

test('Compose gets none of the login shell’s environment, and the bundle’s own file', async () => {
  const r = new RolloutRig()
  await r.run()
  const argv = r.host.commands[0]?.argv ?? []
  assert.equal(argv.slice(0, 2), ['env', '-i'])
  assert.match(argv[2] ?? '', /^PATH=\//)
  const file = `/opt/stagecraft/shop/prod/bundles/${'b'.repeat(64)}/docker-compose.yml`
  assert.equal(argv.slice(3, 9), ['docker', 'compose', '--project-name', 'shop-prod', '--file', file])
})

test('start-first: the old one is stopped only once the new one is ready', async () => {
  const r = new RolloutRig()
  r.old('web-1')
  await r.run()
  assert.equal(r.steps(), [
    'compose up --no-start --no-recreate --no-deps --scale web=2 web',
    'setRestartPolicy id-made-1 no',
    'start id-made-1',
    'setRestartPolicy id-made-1 unless-stopped',
    'stop id-web-1 10',
  ])
  assert.equal(r.state(), ['made-1 new running', 'web-1 old exited'], 'the old one stays for a rollback')
  assert.is(r.fewest, 1)
})

test('the gate listens before it starts anything', async () => {
  const r = new RolloutRig()
  await r.run()
  const calls = r.host.calls
  assert.ok(calls.indexOf('events') < calls.indexOf('start id-made-1'))
  assert.ok(calls.indexOf('events') > -1)
})

test('stop-first: the old one goes before the new one is made', async () => {
  const r = new RolloutRig({ order: 'stop-first' })
  r.old('web-1')
  await r.run()
  assert.equal(r.steps().slice(0, 2), ['stop id-web-1 10', 'compose up --no-start --no-recreate --no-deps --scale web=2 web'])
  assert.equal(r.running(), ['made-1'])
})

test('several replicas are exchanged one at a time', async () => {
  const r = new RolloutRig({ replicas: 3 })
  r.old('web-1', 'web-2', 'web-3')
  await r.run()
  assert.equal(
    r.steps().filter((step) => /^(start|stop)/.test(step)),
    ['start id-made-1', 'stop id-web-1 10', 'start id-made-2', 'stop id-web-2 10', 'start id-made-3', 'stop id-web-3 10'],
  )
  assert.is(r.fewest, 3)
})

test('as many at once as the surge allows, and no old one goes before all of them are ready', async () => {
  const r = new RolloutRig({ replicas: 3, surge: 2 })
  r.old('web-1', 'web-2', 'web-3')
  await r.run()
  assert.equal(
    r.steps().flatMap((step) => /^(?:start|stop) id-\S+/.exec(step) ?? []),
    ['start id-made-1', 'start id-made-2', 'stop id-web-1', 'stop id-web-2', 'start id-made-3', 'stop id-web-3'],
  )
  assert.is(r.fewest, 3)
})

test('one of several that start at once fails: all of them go', async () => {
  const r = new RolloutRig({ replicas: 2, surge: 2 })
  r.old('web-1', 'web-2')
  r.host.engine.behave('made-1', 'dies')
  await failureOf(r.run())
  assert.equal(r.state(), ['web-1 old running', 'web-2 old running'])
  assert.is(r.fewest, 2)
})

for (const [title, fall, expected] of [
  ['dies', (r: RolloutRig) => r.host.engine.become('made-1', 'dead'), 'was ready, then exited with code 1'],
  ['turns unhealthy', (r: RolloutRig) => r.host.engine.become('made-1', 'unhealthy'), 'was ready, then turned unhealthy'],
  [
    'dies while nobody hears of it',
    (r: RolloutRig) => r.host.engine.disconnect(() => r.host.engine.become('made-1', 'dead')),
    'was ready, then exited with code 1',
  ],
] as const) {
  test(`a new container that ${title} before all old ones are gone takes none of them with it`, async () => {
    const r = new RolloutRig({ replicas: 2 })
    r.old('web-1', 'web-2')
    const { engine } = r.host
    const stop = engine.stop.bind(engine)
    let isFirst = true
    engine.stop = async (container, grace) => {
      await stop(container, grace)
      if (isFirst) fall(r)
      isFirst = false
    }
    const failure = await failureOf(r.run())
    assert.equal([failure.reason, failure.message], ['unhealthy', `the new container of web on node-1 ${expected}`])
    assert.equal(r.state(), ['web-1 old running', 'web-2 old running'])
    assert.is(engine.subscriptions, 0)
  })
}

test('fewer replicas: what is too much is stopped and removed', async () => {
  const r = new RolloutRig({ replicas: 1 })
  for (const name of ['web-1', 'web-2']) r.host.engine.add({ name, hash: 'new', restartPolicy: 'unless-stopped' })
  assert.equal(await r.observe(), { fresh: false, because: { reason: 'drift', detail: '2 of 1 replicas' } })
  await r.run()
  assert.equal(r.state(), ['web-1 new running'])
})

test('none are wanted: all go, nothing is made', async () => {
  const r = new RolloutRig({ replicas: 0 })
  r.old('web-1')
  await r.run()
  assert.equal(r.steps(), ['stop id-web-1 10'])
})

test('what a killed run left is adopted, not made again', async () => {
  const r = new RolloutRig()
  r.old('web-1')
  r.host.engine.add({ name: 'web-2', hash: 'new', state: 'created' })
  await r.run()
  assert.equal(r.host.commands, [])
  assert.equal(r.running(), ['web-2'])
  assert.is(r.host.engine.restartPolicyOf('web-2'), 'unless-stopped')
})

test('broken ones are removed while another serves', async () => {
  const r = new RolloutRig()
  r.old('web-1')
  r.host.engine.add({ name: 'web-2', hash: 'new', state: 'exited' })
  r.host.engine.add({ name: 'web-3', hash: 'new', health: 'unhealthy' })
  await r.run()
  assert.equal(r.state(), ['made-1 new running', 'web-1 old exited'])
})

test('an unhealthy container that is all there is serves until its successor is ready, and comes back when that is no better', async () => {
  const r = new RolloutRig()
  r.host.engine.add({ name: 'web-1', hash: 'new', health: 'unhealthy', restartPolicy: 'unless-stopped' })
  r.host.engine.behave('made-1', 'dies')
  r.watch()
  await failureOf(r.run())
  assert.equal([r.state(), r.fewest], [['web-1 new running'], 1])
  await r.run()
  assert.equal(r.state(), ['made-2 new running'])
  assert.is(r.fewest, 1)
})

test('an image is pulled only when it is absent, with the user’s credentials', async () => {
  const r = new RolloutRig()
  await r.run()
  assert.equal(r.host.engine.credentials, [])
  const other = new RolloutRig()
  other.host.engine.images.clear()
  other.credentials = { username: 'anna', password: 'secret', serveraddress: 'registry.example' }
  await other.run()
  assert.is(other.steps()[0], `pull ${image}`)
  assert.equal(other.host.engine.credentials, [other.credentials])
})

test('an image that cannot be pulled leaves everything as it was', async () => {
  const r = new RolloutRig()
  r.old('web-1')
  r.host.engine.images.clear()
  r.host.engine.unavailable.add(image)
  assert.is((await failureOf(r.run())).reason, 'refused')
  assert.equal(r.state(), ['web-1 old running'])
})

test('nothing is pulled to a host without room, and the remedy is named', async () => {
  const r = new RolloutRig()
  r.old('web-1')
  r.host.engine.images.clear()
  r.host.hasFree(1024 ** 3 - 1024)
  const failure = await failureOf(r.run())
  assert.match(failure.message, 'node-1 has 1074 MB free in /var/lib/docker')
  assert.match(failure.remedy ?? '', 'stagecraft prune')
  assert.equal([r.state(), r.steps()], [['web-1 old running'], []])
})

test('where the free space cannot be told, or enough is there, the pull begins', async () => {
  for (const say of [{ code: 1 }, { stdout: 'not a folder' }]) {
    const r = new RolloutRig()
    r.host.engine.images.clear()
    r.host.answer(/^docker info/, say)
    await r.run()
    assert.is(r.steps()[0], `pull ${image}`)
  }
})

test('an image that is not built here is noted as brought by us', async () => {
  const r = new RolloutRig({ ownCode: false })
  r.host.engine.images.clear()
  await r.run()
  const [note] = await r.host.files.list('pulled')
  assert.is(Buffer.from((await r.host.files.read(`pulled/${note}`)) ?? []).toString(), `${image}\n`)
})

// --- what it refuses, and undoes ------------------------------------------------------------------------------------

test('someone else’s image with data in a volume without a name is refused before anything is touched', async () => {
  const r = new RolloutRig({ ownCode: false })
  r.host.engine.add({ name: 'web-1', hash: 'old', anonymousVolumes: ['/data'] })
  const failure = await failureOf(r.run())
  assert.is(failure.reason, 'refused')
  assert.match(failure.message, 'web-1 keeps data in a volume without a name (/data)')
  assert.match(failure.remedy ?? '', 'services.web.rollout.driver')
  assert.equal(r.steps(), [])
})

test('someone else’s image without such data is replaced', async () => {
  const r = new RolloutRig({ ownCode: false })
  r.old('web-1')
  await r.run()
  assert.equal(r.running(), ['made-1'])
})

for (const [title, behaviour, expected] of [
  ['exits', 'dies', 'the new container of web on node-1 exited with code 1'],
  ['turns unhealthy', 'unhealthy', 'the new container of web on node-1 is unhealthy'],
  ['says nothing in time', 'starting', 'the new container of web on node-1 was not ready within 0.2 s'],
] as const) {
  for (const order of ['start-first', 'stop-first'] as const) {
    test(`${order}: a new container that ${title} goes, and the old one serves`, async () => {
      const r = new RolloutRig({ order })
      r.old('web-1')
      r.host.engine.behave('made-1', behaviour)
      const failure = await failureOf(r.run())
      assert.equal([failure.reason, failure.message], ['unhealthy', expected])
      assert.equal(r.state(), ['web-1 old running'])
      if (order === 'start-first') assert.is(r.fewest, 1)
      assert.is(r.host.engine.subscriptions, 0)
    })
  }
}

test('a failed rollout keeps the last lines of the container', async () => {
  const r = new RolloutRig()
  r.host.engine.behave('web', 'dies')
  r.host.answer(/ docker compose /, () => {
    r.host.engine.add({ name: 'web-1', hash: 'new', state: 'created' })
    r.host.engine.print('web-1', 'panic: no database')
    return {}
  })
  assert.equal((await failureOf(r.run())).output, ['panic: no database'])
})

test('the second of two replicas fails: the first is exchanged back without a gap', async () => {
  const r = new RolloutRig({ replicas: 2 })
  r.old('web-1', 'web-2')
  r.host.engine.behave('made-2', 'dies')
  await failureOf(r.run())
  assert.equal(r.state(), ['web-1 old running', 'web-2 old running'])
  assert.is(r.fewest, 2)
})

test('old ones go last: what was stopped serves again before the new one is removed', async () => {
  const r = new RolloutRig()
  r.old('web-1', 'web-2')
  r.host.failOn(/^stop id-web-2/)
  await failureOf(r.run())
  const undone = r.steps().slice(r.steps().indexOf('stop id-web-2 10') + 1)
  assert.equal(undone, ['start id-web-1', 'start id-web-2', 'remove id-made-1'])
  assert.is(r.fewest, 2)
})

for (const order of ['start-first', 'stop-first'] as const) {
  test(`${order}: whichever step fails, the old version serves afterwards`, async () => {
    const whole = new RolloutRig({ order })
    whole.old('web-1')
    await whole.run()
    const calls = whole.host.calls.filter((call) => call !== 'changed').length
    for (let after = 0; after < calls; after++) {
      const r = new RolloutRig({ order })
      r.old('web-1')
      r.host.failOn(/^(?!changed)/, { after })
      const failed = await r.run().then(
        () => false,
        () => true,
      )
      const now = r.running()
      if (failed) assert.ok(now.includes('web-1') || now.includes('made-1'), `call ${after}: ${r.state().join(', ')}`)
      if (order === 'start-first') assert.ok(r.fewest >= 1, `call ${after} left a gap`)
      assert.ok(!r.state().includes('made-1 new created'), `call ${after} left a container behind`)
    }
  })
}

test('Compose that ends with an error says what it printed', async () => {
  const r = new RolloutRig()
  r.host.answer(/ docker compose /, { code: 17, stdout: 'creating\n', stderr: 'network not found\n' })
  const failure = await failureOf(r.run())
  assert.equal([failure.reason, failure.message], ['exit', 'docker compose up of web on node-1 ended with code 17'])
  assert.equal(failure.output, ['creating', 'network not found'])
  assert.match(failure.remedy ?? '', 'run it by hand on node-1')
})

test('a host without Compose is told what to install', async () => {
  const r = new RolloutRig()
  r.host.answer(/ docker compose /, { code: 1, stderr: "docker: 'compose' is not a docker command.\n" })
  assert.is((await failureOf(r.run())).remedy, 'install Docker Compose v2 on node-1')
})

test('what the engine of the host says to Compose is the message, and a missing command has its remedy', async () => {
  const r = new RolloutRig()
  r.host.answer(/ docker compose /, () => ({
    code: 1,
    stderr: ' Container web-1  Creating\nError response from daemon: no command specified\n',
  }))
  const { message, remedy } = await failureOf(r.run())
  assert.is(message, 'docker compose up of web on node-1 ended with code 1: no command specified')
  assert.match(remedy ?? '', /what web is to run/)
})

test('a Compose that makes something else than was wanted is not believed', async () => {
  const r = new RolloutRig({ replicas: 2 })
  r.host.answer(/ docker compose /, () => {
    r.host.engine.add({ name: 'web-1', hash: 'new', state: 'created' })
    return {}
  })
  const failure = await failureOf(r.run())
  assert.is(failure.message, 'docker compose on node-1 made 1 new containers of web, 2 were wanted')
  assert.equal(r.state(), [], 'what it made is removed')
})

test('two rollouts of one host take turns with Compose', async () => {
  const r = new RolloutRig()
  const first = r.host.hold(/ --scale web=1 web$/)
  const running = r.run()
  await within(2000, first.asked)
  const second = rollout.run({ ...r.params, render: 'render:node-1' }, r.context())
  await new Promise((resolve) => setImmediate(resolve))
  assert.is(r.host.commands.length, 1)
  first.finish({ code: 1, stderr: 'no' })
  await failureOf(running)
  await second.catch(() => {})
  assert.is(r.host.commands.length, 2, 'a failure does not keep the next from its turn')
})

test('an interrupt undoes and ends at once', async () => {
  const r = new RolloutRig({ timeoutSeconds: 60 })
  r.old('web-1')
  r.host.engine.behave('made-1', 'starting')
  const running = r.run()
  while (!r.host.calls.includes('start id-made-1')) await new Promise((resolve) => setImmediate(resolve))
  r.controller.abort()
  assert.match((await failureOf(running)).message, 'was interrupted')
  assert.equal(r.state(), ['web-1 old running'])
})

test('a lost lock stops everything: neither another step nor an undoing', async () => {
  const r = new RolloutRig()
  r.old('web-1')
  let guards = 0
  r.guard = async () => {
    guards += 1
    if (guards > 2) throw lockLost()
  }
  assert.is((await failureOf(r.run())).reason, 'lock-lost')
  assert.equal(r.running(), ['made-1', 'web-1'])
  assert.equal(r.steps().at(-1), 'setRestartPolicy id-made-1 unless-stopped')
  assert.ok(r.lines.includes('not undone: another run holds the lock now'))
})

test('another host out of reach does not keep the old version of this one down', async () => {
  const r = new RolloutRig({ order: 'stop-first' })
  r.old('web-1')
  let guards = 0
  r.guard = async () => {
    guards += 1
    if (guards > 2) throw new TaskFailure({ reason: 'unreachable', subject: 'node-2', message: 'node-2 is gone' })
  }
  assert.is((await failureOf(r.run())).subject, 'node-2')
  assert.equal(r.state(), ['web-1 old running'])
})

test('an undoing that fails in part goes on, says so, and leaves the first error to be reported', async () => {
  const r = new RolloutRig({ order: 'stop-first' })
  r.old('web-1')
  r.host.engine.behave('made-1', 'dies')
  r.host.failOn(/^remove id-made-1/)
  assert.match((await failureOf(r.run())).message, 'exited with code 1')
  assert.ok(r.running().includes('web-1'))
  assert.ok(r.lines.includes('undone but for 1 steps that failed: 1 new removed, 1 old started again'), r.lines.join('\n'))
})

// --- names, drivers, restart policies ---------------------------------------------------------------------------------

test('a fixed container name is handed over, and returned when the new one fails', async () => {
  const r = new RolloutRig({ order: 'stop-first' })
  r.containerName = 'the-web'
  await r.run()
  assert.equal(r.running(), ['the-web'])
  r.hash = 'newer'
  r.host.failOn(/^start id-made-2/)
  await failureOf(r.run())
  assert.equal(r.state(), ['the-web new running'])
  for (const hash of ['third', 'fourth', 'fifth']) {
    r.hash = hash
    await r.run()
    assert.equal(r.running(hash), ['the-web'])
  }
})

test('driver recreate: Compose replaces, the same gate decides, nothing is undone', async () => {
  const r = new RolloutRig({ driver: 'recreate', replicas: 1 })
  r.containerName = 'the-web'
  r.host.engine.add({ name: 'web-1', hash: 'old' })
  r.host.answer(/ up --detach --no-deps --scale web=1 web$/, async () => {
    await r.host.engine.remove('web-1')
    r.host.engine.add({ name: 'web-1', hash: r.hash })
    return {}
  })
  await r.run()
  assert.equal(r.state(), ['the-web new running'])
})

test('driver recreate: a container that does not come up fails the task', async () => {
  const r = new RolloutRig({ driver: 'recreate' })
  r.host.answer(/ up --detach /, () => {
    r.host.engine.add({ name: 'web-1', hash: 'new', state: 'exited' })
    r.host.engine.behave('web-1', 'dies')
    return {}
  })
  assert.is((await failureOf(r.run())).reason, 'unhealthy')
})

test('a restart policy that a killed run left at `no` is noticed when its lock is there, and mended', async () => {
  const r = new RolloutRig()
  r.host.engine.add({ name: 'web-1', hash: 'new', restartPolicy: 'no' })
  assert.ok((await r.observe()).fresh, 'without a lock, nobody was cut off')
  r.host.lock = { owner: 'gone', fence: 1, description: 'anna@laptop' }
  r.host.changed()
  const look = await r.observe()
  assert.equal(look, { fresh: false, because: { reason: 'drift', detail: 'web-1 has restart policy no, not unless-stopped' } })
  await r.run()
  assert.equal(
    r.steps(),
    ['setRestartPolicy id-web-1 no', 'start id-web-1', 'setRestartPolicy id-web-1 unless-stopped'],
    'it never passed the gate',
  )
  assert.ok((await r.observe()).fresh)
})

test('forced where nothing is wrong, it makes new containers of the same definition, without a gap', async () => {
  const r = new RolloutRig()
  r.host.engine.add({ name: 'web-1', hash: 'new', restartPolicy: 'unless-stopped' })
  await r.run()
  assert.equal(r.steps().slice(-2), ['stop id-web-1 10', 'remove id-web-1'])
  assert.equal(r.state(), ['made-1 new running'])
  assert.is(r.fewest, 1)
})

test('on-failure carries its count; `no` is never touched', async () => {
  const r = new RolloutRig({ restart: { name: 'on-failure', maximumRetryCount: 3 } })
  await r.run()
  assert.is(r.host.engine.restartPolicyOf('made-1'), 'on-failure')
  const none = new RolloutRig({ restart: { name: 'no', maximumRetryCount: 0 } })
  await none.run()
  assert.equal(none.steps(), ['compose up --no-start --no-recreate --no-deps --scale web=1 web', 'start id-made-1'])
})

test('its title says when it stops first; only its own service of the rendered file matters', () => {
  const { params } = new RolloutRig()
  assert.is(rollout.title(params), 'roll web on node-1')
  assert.is(rollout.title({ ...params, order: 'stop-first' }), 'roll web on node-1 (stop-first)')
  const values = { bundle: 'b', services: { web: { hash: 'h', image: 'i' }, api: { hash: 'x', image: 'y' } } }
  assert.equal(rollout.select?.(params, 'render:node-1' as never, { files: {}, values }), { hash: 'h', image: 'i' })
  assert.throws(() => rollout.select?.({ ...params, service: 'cron' }, 'render:node-1' as never, { files: {}, values }), /no service cron/)
})

// --- cut off anywhere, run again ------------------------------------------------------------------------------------

for (const order of ['start-first', 'stop-first'] as const) {
  test(`${order}: cut off after any number of calls, the next run converges${order === 'start-first' ? ', without a gap' : ''}`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(40), { minLength: 1, maxLength: 3 }), fc.integer({ min: 1, max: 3 }), async (cuts, replicas) => {
        const r = new RolloutRig({ order, replicas })
        r.old(...Array.from({ length: replicas }, (_, index) => `web-${index + 1}`))
        for (const cut of cuts) {
          r.host.dieAfter(cut)
          await r.run().catch(() => {})
          r.host.revive()
        }
        r.host.lock = { owner: 'gone', fence: 1, description: 'a killed run' }
        r.host.changed()
        if (!(await r.observe()).fresh) await r.run()
        assert.is(r.running('new').length, replicas)
        assert.equal(r.running('old'), [])
        for (const name of r.running()) assert.is(r.host.engine.restartPolicyOf(name), 'unless-stopped')
        if (order === 'start-first') assert.ok(r.fewest >= 1, 'a gap')
        assert.ok((await r.observe()).fresh)
      }),
      { numRuns: 150 },
    )
  })
}

test('its parameters are checked strictly', () => {
  const given = new RolloutRig().params
  const accepts = (more: object) => rollout.params.safeParse({ ...given, ...more }).success
  assert.ok(accepts({}))
  assert.ok(accepts({ minFreeBytes: 0, probe: { port: 80, path: '/', expectedStatus: 200 }, replicas: 0 }))
  for (const wrong of [
    { replicas: -1 },
    { replicas: 1.5 },
    { driver: 'swarm' },
    { order: 'any' },
    { minFreeBytes: -1 },
    { probe: {} },
    { more: 1 },
  ])
    assert.not.ok(accepts(wrong), JSON.stringify(wrong))
})

test.run()
