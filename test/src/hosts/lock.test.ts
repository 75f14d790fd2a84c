import { lutimesSync, mkdirSync, readdirSync, readlinkSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { EnvironmentLock, type LockOptions } from '../../../src/hosts/lock.ts'
import { isOwnerName, type LockContent, parseLock, renderLock, silence } from '../../../src/hosts/lock-holder.ts'
import { elapsedMs, type LocalMachine, thisMachine } from '../../../src/hosts/lock-machine.ts'
import { resolveConnection } from '../../../src/hosts/ssh-config.ts'
import { SshConnection } from '../../../src/hosts/ssh-connection.ts'
import { SftpSession } from '../../../src/hosts/ssh-sftp-session.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import { rejects, within } from '../../support/assertions.ts'
import { isThere, status } from '../../support/sftp-server.ts'
import { failureOf, onServer, type SshServer } from '../../support/ssh-server.ts'

const test = suite('src/hosts/lock')

const leaseMs = 30_000
/** No beat comes by itself: tests say what happens when. */
const never = 2 ** 30

/** Clocks that stand still until they are moved. */
function machine(more: Partial<LocalMachine> = {}) {
  let monotonic = 1_000
  let wall = 1_700_000_000_000
  return {
    space: async () => 'here',
    isRunning: () => true,
    monotonicMs: () => monotonic,
    wallMs: () => wall,
    pass: (ms: number) => {
      monotonic += ms
      wall += ms
    },
    sleep: (ms: number) => {
      wall += ms
    },
    ...more,
  }
}

/** A lock over a connection of its own, as another process would have. */
function lockOf(
  server: SshServer,
  local: Partial<LocalMachine> = machine(),
  options: Partial<LockOptions> = {},
  signal = new AbortController().signal,
) {
  const address = { name: 'node-1', address: '127.0.0.1', port: server.port, user: 'deploy', roles: [] }
  const sources = { homeDirectory: server.home, projectDirectory: server.home, env: {}, knownHosts: [server.knownHosts] }
  const connection = new SshConnection({ name: 'node-1', settings: () => resolveConnection(address, sources), signal })
  const session = new SftpSession(connection, server.directory)
  return new EnvironmentLock(session, { host: 'node-1', directory: server.directory, leaseMs, beatMs: never, local, ...options })
}
const anna = { owner: 'run-anna', description: 'anna@laptop pid 1' }
const ben = { owner: 'run-ben', description: 'ben@ci pid 2' }
const holderOf = (server: SshServer) => parseLock(readlinkSync(join(server.directory, 'lock')))
const namesIn = (server: SshServer) => readdirSync(server.directory).sort()
const at = (server: SshServer, name: string) => join(server.directory, name)
const longAgo = () => Date.now() / 1000 - 31
const age = (server: SshServer, owner: string) => utimesSync(at(server, `lock.beat.${owner}`), longAgo(), longAgo())

test(
  'a lock is taken, seen and given back without a trace',
  onServer({}, async (server) => {
    const held = await lockOf(server).acquire(anna)
    assert.is(held.fence, 1)
    const { owner, fence, description, pid } = holderOf(server)
    assert.equal({ owner, fence, description, pid }, { ...anna, fence: 1, pid: process.pid })
    await held.verify()
    await Promise.all([held.release(), held.release()])
    await held.release()
    assert.equal(namesIn(server), [])
    await rejects(held.verify(), /given back/)
  }),
)

test(
  'a second run is told who has it, since when, and what to do',
  onServer({}, async (server) => {
    const held = await lockOf(server).acquire(anna)
    const failure = await failureOf(lockOf(server).acquire(ben))
    assert.is(failure.reason, 'lock-held')
    assert.is(failure.subject, 'node-1')
    assert.match(failure.message, /prod on node-1 is locked by anna@laptop pid 1 since 2023-.*; its last sign of life was [0-2] s ago/)
    assert.match(failure.remedy ?? '', /taken over 30 s after its last sign of life/)
    assert.equal(namesIn(server), ['lock', 'lock.beat.run-anna'])
    await held.release()
    assert.is((await lockOf(server).acquire(ben)).owner, 'run-ben')
  }),
)

test(
  'many at once: one gets it',
  onServer({}, async (server) => {
    const locks = Array.from({ length: 6 }, () => lockOf(server))
    const outcomes = await Promise.allSettled(
      locks.map((lock, index) => lock.acquire({ owner: `run-${index}`, description: `run ${index}` })),
    )
    const [winner] = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    assert.is(outcomes.filter(({ status: end }) => end === 'fulfilled').length, 1)
    assert.is(holderOf(server).owner, winner?.owner)
    assert.equal(namesIn(server), ['lock', `lock.beat.${winner?.owner}`])
  }),
)

test(
  'a holder that was killed loses it when its lease is over, and the fence grows',
  onServer({}, async (server) => {
    await lockOf(server, machine({ space: async () => 'elsewhere' })).acquire(anna)
    assert.is((await failureOf(lockOf(server).acquire(ben))).reason, 'lock-held')
    age(server, 'run-anna')
    const held = await lockOf(server).acquire(ben)
    assert.is(held.fence, 2)
    assert.is(holderOf(server).owner, 'run-ben')
    assert.equal(namesIn(server), ['lock', 'lock.beat.run-ben'])
  }),
)

test(
  'a dead process of this machine need not be waited for, one of another must',
  onServer({}, async (server) => {
    const elsewhere = machine({ space: async () => 'elsewhere' })
    await lockOf(server, elsewhere).acquire(anna)
    const dead = { isRunning: () => false }
    assert.is((await failureOf(lockOf(server, machine(dead)).acquire(ben))).reason, 'lock-held')
    assert.is((await lockOf(server, machine({ ...dead, space: async () => 'elsewhere' })).acquire(ben)).fence, 2)
  }),
)

test(
  'a lock without a beat is judged by its own age',
  onServer({}, async (server) => {
    mkdirSync(server.directory, { recursive: true })
    const content: LockContent = { ...anna, fence: 7, machine: 'elsewhere', pid: 1, startedAt: '' }
    symlinkSync(renderLock(content), at(server, 'lock'))
    assert.is((await failureOf(lockOf(server).acquire(ben))).reason, 'lock-held')
    lutimesSync(at(server, 'lock'), longAgo(), longAgo())
    assert.is((await lockOf(server).acquire(ben)).fence, 8)
  }),
)

test(
  'a link that is no lock of ours is respected, and in the end replaced',
  onServer({}, async (server) => {
    mkdirSync(server.directory, { recursive: true })
    symlinkSync('somewhere/else', at(server, 'lock'))
    assert.match((await failureOf(lockOf(server).acquire(ben))).message, /locked by unknown \(somewhere\/else\);/)
    lutimesSync(at(server, 'lock'), longAgo(), longAgo())
    assert.is((await lockOf(server).acquire(ben)).fence, 1)
  }),
)

test(
  'a paused holder that wakes up after a take-over finds out, for good',
  onServer({}, async (server) => {
    const local = machine()
    const held = await lockOf(server, local).acquire(anna)
    age(server, 'run-anna')
    const taken = await lockOf(server).acquire(ben)
    local.pass(60_000)
    const failure = await failureOf(held.verify())
    assert.is(failure.reason, 'lock-lost')
    assert.match(failure.message, /lost .*\/lock on node-1: ben@ci pid 2 has it now/)
    assert.is((await failureOf(held.verify())).reason, 'lock-lost')
    await held.release()
    assert.is(holderOf(server).owner, 'run-ben')
    await taken.verify()
    assert.equal(namesIn(server), ['lock', 'lock.beat.run-ben'])
  }),
)

test(
  'a holder whose machine slept finds out, though its clock stood still',
  onServer({}, async (server) => {
    const local = machine()
    const held = await lockOf(server, local).acquire(anna)
    age(server, 'run-anna')
    await lockOf(server).acquire(ben)
    local.sleep(60_000)
    assert.is((await failureOf(held.verify())).reason, 'lock-lost')
  }),
)

test(
  'a holder that comes back in time keeps it',
  onServer({}, async (server) => {
    const local = machine()
    const held = await lockOf(server, local).acquire(anna)
    age(server, 'run-anna')
    local.pass(60_000)
    await held.verify()
    assert.is((await failureOf(lockOf(server).acquire(ben))).reason, 'lock-held')
  }),
)

test(
  'a lock that was removed by hand is lost',
  onServer({}, async (server) => {
    const local = machine()
    const held = await lockOf(server, local).acquire(anna)
    server.intercept = (operation, path) => (operation === 'READLINK' && path.endsWith('/lock') ? status.noSuchFile : undefined)
    local.pass(11_000)
    assert.match((await failureOf(held.verify())).message, /it is gone/)
  }),
)

test(
  'asking costs nothing for a third of the lease, then one look for all who ask',
  onServer({}, async (server) => {
    const local = machine()
    const held = await lockOf(server, local).acquire(anna)
    const before = server.sftpLog.length
    local.pass(9_900)
    await Promise.all([held.verify(), held.verify()])
    assert.is(server.sftpLog.length, before)
    local.pass(200)
    await Promise.all([held.verify(), held.verify(), held.verify()])
    assert.equal(
      server.sftpLog
        .slice(before)
        .map((line) => line.split(' ')[0])
        .sort(),
      ['OPEN', 'READLINK', 'WRITE'],
    )
    const later = server.sftpLog.length
    local.pass(11_000)
    await held.verify()
    assert.equal(
      server.sftpLog
        .slice(later)
        .map((line) => line.split(' ')[0])
        .sort(),
      ['READLINK', 'WRITE'],
    )
  }),
)

test(
  'a lock beats by itself',
  onServer({}, async (server) => {
    const beaten = new Promise<void>((resolve) => {
      server.intercept = (operation, path) => {
        if (operation === 'READLINK' && path.endsWith('/lock')) resolve()
        return undefined
      }
    })
    const held = await lockOf(server, thisMachine, { beatMs: 20 }).acquire(anna)
    const keepAlive = setInterval(() => undefined, 1_000)
    await within(5_000, beaten)
    clearInterval(keepAlive)
    await held.release()
    assert.equal(namesIn(server), [])
  }),
)

test(
  'a beat goes on over a new connection',
  onServer({}, async (server) => {
    const local = machine()
    const held = await lockOf(server, local).acquire(anna)
    local.pass(11_000)
    await held.verify()
    server.cut()
    local.pass(11_000)
    await held.verify().catch(() => held.verify())
    await held.release()
    assert.equal(namesIn(server), [])
  }),
)

test(
  'of two who take over at once one gets it',
  onServer({}, async (server) => {
    for (let round = 0; round < 5; round++) {
      await lockOf(server, machine({ space: async () => 'elsewhere' })).acquire({ ...anna, owner: `run-old-${round}` })
      age(server, `run-old-${round}`)
      const rivals = Array.from({ length: 4 }, (_, index) =>
        lockOf(server).acquire({ owner: `run-${round}-${index}`, description: `rival ${index}` }),
      )
      const outcomes = await within(10_000, Promise.allSettled(rivals))
      const winners = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
      assert.is(winners.length, 1)
      assert.is(holderOf(server).owner, winners[0]?.owner)
      assert.is(winners[0]?.fence, 2)
      await winners[0]?.release()
      assert.equal(namesIn(server), [])
    }
  }),
)

test(
  'whoever takes over believes only what the lock says afterwards',
  onServer({}, async (server) => {
    await lockOf(server).acquire(anna)
    age(server, 'run-anna')
    const carl: LockContent = { owner: 'run-carl', description: 'carl', fence: 2, machine: 'elsewhere', pid: 1, startedAt: '' }
    // A rival takes our link for a leftover, and puts its own there just before the rename.
    server.intercept = (operation) => {
      if (operation !== 'RENAME') return undefined
      unlinkSync(at(server, 'lock.steal.2'))
      symlinkSync(renderLock(carl), at(server, 'lock.steal.2'))
      return undefined
    }
    assert.match((await failureOf(lockOf(server).acquire(ben))).message, /locked by carl/)
    assert.is(holderOf(server).owner, 'run-carl')
  }),
)

test(
  'a take-over that died half-way is cleared away',
  onServer({}, async (server) => {
    await lockOf(server).acquire(anna)
    age(server, 'run-anna')
    const content: LockContent = { owner: 'run-carl', description: 'carl', fence: 2, machine: 'elsewhere', pid: 1, startedAt: '' }
    symlinkSync(renderLock(content), at(server, 'lock.steal.2'))
    assert.match((await failureOf(lockOf(server).acquire(ben))).message, /locked by carl/)
    lutimesSync(at(server, 'lock.steal.2'), longAgo(), longAgo())
    assert.is((await lockOf(server).acquire(ben)).fence, 2)
    assert.equal(namesIn(server), ['lock', 'lock.beat.run-ben'])
  }),
)

test(
  'a holder that wakes up while it is being replaced keeps it',
  onServer({}, async (server) => {
    await lockOf(server).acquire(anna)
    age(server, 'run-anna')
    server.intercept = (operation, path) => {
      if (operation === 'SYMLINK' && path.includes('.steal.')) utimesSync(at(server, 'lock.beat.run-anna'), new Date(), new Date())
      return undefined
    }
    assert.is((await failureOf(lockOf(server).acquire(ben))).reason, 'lock-held')
    assert.equal(namesIn(server), ['lock', 'lock.beat.run-anna'])
  }),
)

test(
  'a holder that wakes up in the very last moment is given time to find out',
  onServer({}, async (server) => {
    const short = { leaseMs: 900 }
    const local = machine()
    const held = await lockOf(server, local, short).acquire(anna)
    age(server, 'run-anna')
    let renamedAt = 0
    server.intercept = (operation) => {
      if (operation === 'RENAME') {
        renamedAt = performance.now()
        utimesSync(at(server, 'lock.beat.run-anna'), new Date(), new Date())
      }
      return undefined
    }
    const taken = await lockOf(server, machine(), short).acquire(ben)
    assert.ok(performance.now() - renamedAt >= 290)
    assert.is(taken.fence, 2)
    local.pass(301)
    assert.is((await failureOf(held.verify())).reason, 'lock-lost')
  }),
)

test(
  'a lock whose beat cannot be written is not kept',
  onServer({}, async (server) => {
    server.intercept = (operation) => (operation === 'WRITE' ? status.failure : undefined)
    assert.is((await failureOf(lockOf(server).acquire(anna))).reason, 'refused')
    assert.equal(namesIn(server), [])
  }),
)

test(
  'a directory that may not be written is given with a remedy',
  onServer({}, async (server) => {
    server.intercept = (operation) => (operation === 'SYMLINK' ? status.permissionDenied : undefined)
    mkdirSync(server.directory, { recursive: true })
    assert.match((await failureOf(lockOf(server).acquire(anna))).remedy ?? '', /sudo install -d -o deploy/)
    server.intercept = (operation) => (operation === 'SYMLINK' ? status.failure : undefined)
    assert.is((await failureOf(lockOf(server).acquire(anna))).reason, 'refused')
  }),
)

test(
  'an interrupted run leaves no lock behind',
  onServer({}, async (server) => {
    const controller = new AbortController()
    const lock = lockOf(server, machine(), {}, controller.signal)
    const gone = new Promise<void>((resolve) => {
      server.intercept = (operation, path) => {
        if (operation === 'SYMLINK') controller.abort()
        if (operation === 'REMOVE' && path.endsWith('/lock')) setImmediate(resolve)
        return undefined
      }
    })
    assert.is((await failureOf(lock.acquire(anna))).reason, 'interrupted')
    await within(5_000, gone)
    assert.not.ok(isThere(at(server, 'lock')))
  }),
)

test(
  'a lock can be given back after an interruption',
  onServer({}, async (server) => {
    const controller = new AbortController()
    const held = await lockOf(server, machine(), {}, controller.signal).acquire(anna)
    controller.abort()
    await held.release()
    assert.equal(namesIn(server), [])
  }),
)

test(
  'an owner must do for a file name',
  onServer({}, async (server) => {
    await rejects(lockOf(server).acquire({ owner: '../x', description: '' }), /cannot be an owner/)
    for (const owner of ['', '.', 'a/b', 'a b']) assert.not.ok(isOwnerName(owner))
  }),
)

test('what a lock says fits into a link', () => {
  const content: LockContent = {
    owner: 'run-1',
    fence: 3,
    description: 'é"\\'.repeat(1_000),
    machine: 'm',
    pid: 1,
    startedAt: '2026-11-23T08:00:00.000Z',
  }
  const text = renderLock(content)
  assert.ok(Buffer.byteLength(text) <= 1_000)
  assert.is(parseLock(text).owner, 'run-1')
  assert.equal(parseLock(renderLock({ ...content, description: 'short' })), { ...content, description: 'short' })
  for (const odd of ['', '{', '[]', '{"owner":"x"}', JSON.stringify({ ...content, owner: '../x' })]) assert.is(parseLock(odd).owner, '')
})

test('silence is counted from the last sign of life', () => {
  assert.is(silence({ now: 100, beat: 90, made: 10 }), 10)
  assert.is(silence({ now: 100, beat: undefined, made: 10 }), 90)
  assert.is(silence({ now: 100, beat: undefined, made: undefined }), 0)
})

test('this machine knows its own processes', async () => {
  assert.match(await thisMachine.space(), /^[0-9a-f]{16}$/)
  assert.ok(thisMachine.isRunning(process.pid))
  assert.not.ok(thisMachine.isRunning(2 ** 22 + 7))
  assert.is(elapsedMs({ monotonicMs: 1, wallMs: 10 }, { monotonicMs: 2, wallMs: 4 }), 6)
})

test(
  'a file in place of the lock is not taken for a free one',
  onServer({}, async (server) => {
    mkdirSync(server.directory, { recursive: true })
    writeFileSync(at(server, 'lock'), '')
    assert.is((await within(5_000, failureOf(lockOf(server).acquire(anna)))).reason, 'refused')
  }),
)

test(
  'whoever only looks is told who has it and whether they live, and leaves nothing',
  onServer({}, async (server) => {
    assert.is(await lockOf(server).look(), undefined)
    await lockOf(server).acquire(anna)
    const alive = await lockOf(server).look()
    assert.equal([alive?.holder, alive?.fence, alive?.isAlive], [anna.description, 1, true])
    assert.equal(namesIn(server), ['lock', 'lock.beat.run-anna'])
    age(server, 'run-anna')
    const silent = await lockOf(server).look()
    assert.is(silent?.isAlive, false)
    assert.ok((silent?.silentSeconds ?? 0) >= 31)
    assert.is((await lockOf(server, machine({ isRunning: () => false })).look())?.isAlive, false)
  }),
)

test(
  'by force it is taken from one who lives: the fence goes up, and their next write fails',
  onServer({}, async (server) => {
    const short = { leaseMs: 300 }
    const theirs = machine()
    const held = await lockOf(server, theirs, short).acquire(anna)
    const taken = await within(5_000, lockOf(server, machine(), short).acquire(ben, true))
    assert.is(taken.fence, 2)
    theirs.pass(101)
    assert.is((await failureOf(held.verify())).reason, 'lock-lost')
    await taken.release()
    assert.equal(namesIn(server), [])
  }),
)

/** A connection that is lost while the lock is given back: `before` or after it came through. */
function losing(server: SshServer, instead: (work: () => Promise<unknown>) => Promise<void>) {
  const address = { name: 'node-1', address: '127.0.0.1', port: server.port, user: 'deploy', roles: [] }
  const sources = { homeDirectory: server.home, projectDirectory: server.home, env: {}, knownHosts: [server.knownHosts] }
  const connection = new SshConnection({
    ...{ name: 'node-1', settings: () => resolveConnection(address, sources), signal: new AbortController().signal },
  })
  const session = new SftpSession(connection, server.directory)
  const perform = session.perform.bind(session)
  let isLost = false
  session.perform = async (what, timeoutMs, work) => {
    if (isLost || !what.startsWith('give back')) return perform(what, timeoutMs, work)
    isLost = true
    await instead(() => perform(what, timeoutMs, work))
    throw new TaskFailure({ reason: 'unreachable', subject: 'node-1', message: 'the connection was lost' })
  }
  return new EnvironmentLock(session, { host: 'node-1', directory: server.directory, leaseMs, beatMs: never, local: machine() })
}

test(
  'what is given back over a connection that is being lost is given back over the next one',
  onServer({}, async (server) => {
    const held = await losing(server, async () => {}).acquire(anna)
    await held.release()
    assert.equal(namesIn(server), [])
  }),
)

test(
  'when it was given back before the connection was lost, who took it since then keeps it',
  onServer({}, async (server) => {
    const held = await losing(server, async (work) => {
      await work()
      await lockOf(server).acquire(ben)
    }).acquire(anna)
    await held.release()
    assert.is(holderOf(server).owner, ben.owner)
    assert.equal(namesIn(server), ['lock', 'lock.beat.run-ben'])
  }),
)

test.run()
