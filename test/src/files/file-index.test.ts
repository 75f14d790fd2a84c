import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, lstatSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { digestOf } from '../../../graph/fingerprint.ts'
import { openFileIndex } from '../../../src/files/file-index.ts'
import { type FileClock, fileClock } from '../../../src/state/file-clock.ts'
import { RunState } from '../../../src/state/run-state.ts'
import { type FileSet, TaskFailure } from '../../../tasks/kind.ts'
import { rejects } from '../../support/assertions.ts'
import { inDirectory } from '../../support/directory.ts'
import { plant } from './tree.ts'

const test = suite('src/files/file-index')

const statePath = (directory: string) => `${directory}/.stagecraft/run/state`
/** An index with a state of its own: `save` writes both. */
function open(directory: string, clock: FileClock = fileClock(`${directory}/.stagecraft/run/clock`)) {
  const state = new RunState(statePath(directory))
  const index = openFileIndex(directory, state, clock)
  return {
    ...index,
    async save() {
      index.save()
      state.save((path) => `${directory}/${path}`)
    },
  }
}
const paths = async (directory: string, set: FileSet) => Object.keys(await open(directory).states(set))

async function failureOf(promise: Promise<unknown>): Promise<TaskFailure> {
  const error = await rejects(promise)
  assert.instance(error, TaskFailure)
  return error as TaskFailure
}

test('a file is its digest, an executable one says so, a link is where it points', () =>
  inDirectory(async (directory) => {
    plant(directory, {
      'b.sh': { text: '#!', mode: 0o755 },
      'a.txt': 'text',
      'dir/link': { link: '../../outside' },
      folder: { link: 'dir' },
    })
    assert.equal(Object.entries(await open(directory).states({ root: '.' })), [
      ['a.txt', digestOf('text')],
      ['b.sh', `${digestOf('#!')}+x`],
      ['dir/link', 'link:../../outside'],
      ['folder', 'link:dir'],
    ])
  }))

test('paths are project-relative and sorted by code unit, wherever the root is', () =>
  inDirectory(async (directory) => {
    plant(directory, { 'api/Z.ts': '', 'api/a.ts': '', 'api/ä.ts': '', 'api/.env': '', 'web/x': '', 'api/B/c': '' })
    assert.equal(await paths(directory, { root: 'api' }), ['api/.env', 'api/B/c', 'api/Z.ts', 'api/a.ts', 'api/ä.ts'])
    assert.equal(await paths(directory, { root: './api/' }), await paths(directory, { root: 'api' }))
  }))

test('the same tree elsewhere, at another time, by another name, has the same states', () =>
  inDirectory(async (directory) => {
    plant(`${directory}/one`, { 'src/a': 'a', 'src/b': 'b', '../shared/lib': 'lib' })
    cpSync(`${directory}/one`, `${directory}/two`, { recursive: true })
    utimesSync(`${directory}/two/src/a`, 5, 5)
    for (const root of ['.', 'src', '../shared']) {
      assert.equal(await open(`${directory}/two`).states({ root }), await open(`${directory}/one`).states({ root }))
    }
    rmSync(`${directory}/two`, { recursive: true })
    const above = await open(`${directory}/one`).states({ root: '..' })
    assert.equal(Object.keys(above), ['../shared/lib', 'src/a', 'src/b'])
  }))

test('globs choose among files, also hidden ones; a folder stands for what is in it', () =>
  inDirectory(async (directory) => {
    plant(directory, {
      'app/src/a.ts': '',
      'app/src/.hidden.ts': '',
      'app/src/b.css': '',
      'app/lib/deep/c.ts': '',
      'app/d.ts': '',
      'app/src/link.ts': { link: 'a.ts' },
    })
    const cases: readonly (readonly [readonly string[], readonly string[]])[] = [
      [['**/*.ts'], ['d.ts', 'lib/deep/c.ts', 'src/.hidden.ts', 'src/a.ts', 'src/link.ts']],
      [['src'], ['src/.hidden.ts', 'src/a.ts', 'src/b.css', 'src/link.ts']],
      [
        ['src/*.{ts,css}', '!src/a.ts'],
        ['src/.hidden.ts', 'src/b.css', 'src/link.ts'],
      ],
      [['d.ts', 'none.ts'], ['d.ts']],
      [[], []],
    ]
    for (const [include, expected] of cases) {
      assert.equal(
        await paths(directory, { root: 'app', include }),
        expected.map((path) => `app/${path}`),
        include.join(),
      )
    }
  }))

test('an ignore file speaks of the root, and may be missing', () =>
  inDirectory(async (directory) => {
    plant(directory, { 'api/.dockerignore': '*\n!src\n**/*.log', 'api/src/a': '', 'api/src/a.log': '', 'api/b': '' })
    assert.equal(await paths(directory, { root: 'api', dockerignore: 'api/.dockerignore' }), ['api/src/a'])
    assert.equal((await paths(directory, { root: 'api', dockerignore: 'api/none' })).length, 4)
    assert.equal(await paths(directory, { root: 'api', include: ['**'], dockerignore: 'api/.dockerignore' }), ['api/src/a'])
  }))

test('a folder nobody wants is not even opened', () =>
  inDirectory(async (directory) => {
    plant(directory, { '.dockerignore': 'private\n.dockerignore', a: '', 'private/b': '' })
    execFileSync('mkfifo', [`${directory}/private/pipe`])
    assert.equal(await paths(directory, { root: '.', dockerignore: '.dockerignore' }), ['a'])
  }))

test('files that must count are there even when ignored, outside the root, or behind a link', () =>
  inDirectory(async (directory) => {
    plant(directory, {
      'api/a': '',
      'api/.dockerignore': '*',
      'docker/api.Dockerfile': 'FROM x',
      Dockerfile: { link: 'docker/api.Dockerfile' },
    })
    const set: FileSet = { root: 'api', dockerignore: 'api/.dockerignore', always: ['./Dockerfile', 'api/a'] }
    assert.equal(await open(directory).states(set), {
      Dockerfile: 'link:docker/api.Dockerfile',
      'api/a': digestOf(''),
      'docker/api.Dockerfile': digestOf('FROM x'),
    })
  }))

test('what Stagecraft keeps is not an input; what the user keeps beside it is', () =>
  inDirectory(async (directory) => {
    plant(directory, {
      a: '',
      '.stagecraft/releases.json': '',
      '.stagecraft/cache/x': '',
      '.stagecraft/tests/smoke.sh': '',
      'sub/.stagecraft/y': '',
    })
    const expected = ['.stagecraft/tests/smoke.sh', 'a', 'sub/.stagecraft/y']
    assert.equal(await paths(directory, { root: '.' }), expected)
    assert.equal(await paths(directory, { root: '.', include: ['**', '.stagecraft/tests/*'] }), expected)
    assert.equal(await paths(directory, { root: '.', include: ['**'] }), ['a'])
  }))

const changes: readonly (readonly [string, boolean, (directory: string) => void])[] = [
  ['a time', false, (directory) => utimesSync(`${directory}/a`, 7, 7)],
  ['a rewrite of the same text', false, (directory) => writeFileSync(`${directory}/a`, 'aaaa')],
  ['the execute bit', true, (directory) => chmodSync(`${directory}/a`, 0o755)],
  ['other mode bits', false, (directory) => chmodSync(`${directory}/a`, 0o600)],
  ['the text, at the same length', true, (directory) => writeFileSync(`${directory}/a`, 'bbbb')],
  ['a new file', true, (directory) => writeFileSync(`${directory}/c`, '')],
  ['a file gone', true, (directory) => rmSync(`${directory}/b`)],
]
for (const [what, matters, change] of changes) {
  test(`${what} ${matters ? 'changes' : 'does not change'} the states`, () =>
    inDirectory(async (directory) => {
      plant(directory, { a: 'aaaa', b: 'b' })
      const index = open(directory)
      const before = await index.states({ root: '.' })
      await index.save()
      change(directory)
      for (const again of [index, open(directory)]) {
        const after = JSON.stringify(await again.states({ root: '.' }))
        assert.is(after !== JSON.stringify(before), matters)
      }
    }))
}

test('two texts written within one tick of the clock are two states', () =>
  inDirectory(async (directory) => {
    const index = open(directory)
    const seen = new Set<string | undefined>()
    for (let turn = 0; turn < 50; turn++) {
      writeFileSync(`${directory}/a`, String(100 + turn))
      seen.add((await index.states({ root: '.' }))['a'])
      await index.save()
    }
    assert.is(seen.size, 50)
  }))

test('special files are refused by name', () =>
  inDirectory(async (directory) => {
    mkdirSync(`${directory}/run`)
    execFileSync('mkfifo', [`${directory}/run/pipe`])
    for (const set of [{ root: '.' }, { root: '.', include: ['run/*'] }, { root: 'run', always: ['run/pipe'] }]) {
      const { failure } = await failureOf(open(directory).states(set))
      assert.equal(
        [failure.reason, failure.subject, failure.message],
        ['refused', 'run/pipe', '`run/pipe` is a named pipe; an input is a file or a symbolic link'],
      )
    }
    rmSync(`${directory}/run/pipe`)
    const server = createServer().listen(`${directory}/run/app.sock`)
    await new Promise((resolve) => server.once('listening', resolve))
    const { failure } = await failureOf(open(directory).states({ root: '.' })).finally(() => server.close())
    assert.match(failure.message, '`run/app.sock` is a socket')
    assert.match((await failureOf(open(directory).states({ root: 'run', always: ['run'] }))).message, 'is a folder')
  }))

const refusals: readonly (readonly [string, FileSet, string])[] = [
  ['a missing file that must count', { root: '.', always: ['Dockerfile'] }, '`Dockerfile` does not exist'],
  ['a link to nothing that must count', { root: '.', always: ['dangling'] }, '`dangling` does not exist'],
  ['a link out of the project that must count', { root: '.', always: ['leaving'] }, 'symbolic link out of the project'],
  ['a missing root', { root: 'api' }, 'the folder `api` does not exist'],
  ['a root that is a file', { root: 'a' }, '`a` is not a folder'],
  ['a pattern that climbs', { root: '.', include: ['x/../../y'] }, 'the input pattern `x/../../y` leaves `.`'],
  ['an absolute pattern', { root: '.', include: ['/etc/*'] }, 'the input pattern `/etc/*` leaves `.`'],
]
for (const [what, set, message] of refusals) {
  test(`${what} is refused with a remedy`, () =>
    inDirectory(async (directory) => {
      plant(directory, { a: '', dangling: { link: 'nowhere' }, leaving: { link: process.execPath } })
      const { failure } = await failureOf(open(directory).states(set))
      assert.match(failure.message, message)
      assert.ok(failure.remedy)
    }))
}

test('an unreadable ignore file is named', () =>
  inDirectory(async (directory) => {
    plant(directory, { 'ignore/a': '' })
    const { failure } = await failureOf(open(directory).states({ root: '.', dockerignore: 'ignore' }))
    assert.is(failure.subject, 'ignore')
    assert.match(failure.message, 'cannot read `ignore`: EISDIR')
  }))

test('a name that is not text is refused, not passed over', () =>
  inDirectory(async (directory) => {
    writeFileSync(Buffer.concat([Buffer.from(`${directory}/bad`), Buffer.from([0xff])]), '')
    assert.match((await failureOf(open(directory).states({ root: '.' }))).message, 'cannot read `bad\uFFFD`')
  }))

test('a file larger than one piece is hashed whole', () =>
  inDirectory(async (directory) => {
    const bytes = Buffer.alloc(2_500_000, 'abcdefg')
    writeFileSync(`${directory}/large`, bytes)
    writeFileSync(`${directory}/exact`, bytes.subarray(0, 1024 * 1024))
    assert.equal(await open(directory).states({ root: '.' }), { exact: digestOf(bytes.subarray(0, 1024 * 1024)), large: digestOf(bytes) })
  }))

test('saving writes nothing when nothing was learned', () =>
  inDirectory(async (directory) => {
    plant(directory, { a: 'a' })
    await open(directory).save()
    assert.not(existsSync(statePath(directory)))
    const index = open(directory, { isPast: () => false })
    await index.states({ root: '.' })
    await index.save()
    assert.not(existsSync(statePath(directory)))
  }))

test('a damaged state counts as none', () =>
  inDirectory(async (directory) => {
    plant(directory, { a: 'x' })
    const expected = await open(directory).states({ root: '.' })
    mkdirSync(`${directory}/.stagecraft/run`, { recursive: true })
    for (const text of ['', '{', 'SCstate1', 'SCstate1'.padEnd(24, '\0'), 'x'.repeat(4096)]) {
      writeFileSync(statePath(directory), text)
      assert.equal(await open(directory).states({ root: '.' }), expected)
    }
  }))

/** Time has gone on since every change. */
const later: FileClock = { isPast: () => true }

/** Replaces what is remembered of a file, so that a test can see whether it is believed. */
async function forge(directory: string, path: string): Promise<void> {
  const state = new RunState(statePath(directory))
  state.files.remember(path, lstatSync(`${directory}/${path}`), 'remembered', true)
  state.save((file) => `${directory}/${file}`)
}

test('a file at rest is not read again until its stat changes', () =>
  inDirectory(async (directory) => {
    plant(directory, { 'src/a': 'aaaa' })
    await forge(directory, 'src/a')
    assert.equal(await open(directory, later).states({ root: 'src' }), { 'src/a': 'remembered' })
    for (const change of [
      () => utimesSync(`${directory}/src/a`, 9, 9),
      () => chmodSync(`${directory}/src/a`, 0o640),
      () => {
        cpSync(`${directory}/src/a`, `${directory}/copy`)
        renameSync(`${directory}/copy`, `${directory}/src/a`)
      },
    ]) {
      await forge(directory, 'src/a')
      change()
      assert.equal(await open(directory, later).states({ root: 'src' }), { 'src/a': digestOf('aaaa') })
    }
  }))

test('a file that was written a moment ago is read every time', () =>
  inDirectory(async (directory) => {
    plant(directory, { 'src/a': 'a' })
    const first = open(directory, { isPast: () => false })
    await first.states({ root: 'src' })
    await first.save()
    assert.not(existsSync(statePath(directory)))
    assert.is(first.evidence(['src/a'], 'input', true), undefined)
  }))

test('a glob is not walked again until a folder changes', () =>
  inDirectory(async (directory) => {
    plant(directory, { 'src/a.ts': '', 'src/deep/b.ts': '', 'src/c.css': '' })
    const set: FileSet = { root: '.', include: ['src/**/*.ts', 'lib/*.ts', '!src/x.ts'] }
    const first = open(directory, later)
    assert.equal(Object.keys(await first.states(set)), ['src/a.ts', 'src/deep/b.ts'])
    await first.save()
    for (const [change, expected] of [
      [() => {}, ['src/a.ts', 'src/deep/b.ts']],
      [() => plant(directory, { 'src/deep/c.ts': '' }), ['src/a.ts', 'src/deep/b.ts', 'src/deep/c.ts']],
      [() => plant(directory, { 'lib/d.ts': '' }), ['lib/d.ts', 'src/a.ts', 'src/deep/b.ts', 'src/deep/c.ts']],
      [() => renameSync(`${directory}/src/a.ts`, `${directory}/src/x.ts`), ['lib/d.ts', 'src/deep/b.ts', 'src/deep/c.ts']],
      [() => rmSync(`${directory}/src/deep`, { recursive: true }), ['lib/d.ts']],
    ] as const) {
      change()
      for (const index of [first, open(directory)]) assert.equal(Object.keys(await index.states(set)), expected)
      await first.save()
    }
  }))

test('histories and what package managers install are inputs only by name', () =>
  inDirectory(async (directory) => {
    plant(directory, { a: '', '.git/x': '', 'node_modules/b': '', 'sub/node_modules/c': '' })
    assert.equal(await paths(directory, { root: '.', include: ['**'] }), ['a'])
    assert.equal(await paths(directory, { root: '.', include: ['**', 'node_modules/b'] }), ['a', 'node_modules/b', 'sub/node_modules/c'])
    assert.equal(await paths(directory, { root: '.' }), ['.git/x', 'a', 'node_modules/b', 'sub/node_modules/c'])
  }))

test.run()
