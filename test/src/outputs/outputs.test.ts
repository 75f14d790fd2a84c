import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { blobPath } from '../../../cache/layout.ts'
import { digestOf } from '../../../graph/fingerprint.ts'
import type { ActionResult } from '../../../graph/types.ts'
import { projectOutputs } from '../../../src/outputs/outputs.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import { rejects, within } from '../../support/assertions.ts'
import { inProject, type Project, staged, type Tree, treeOf, write } from './tree.ts'

const test = suite('outputs/outputs')
const killed = fileURLToPath(new URL('killed.js', import.meta.url))

async function captured({ outputs }: Project, patterns: readonly string[]): Promise<ActionResult> {
  return { ...(await outputs.capture(patterns)), values: {} }
}

const cases: readonly (readonly [what: string, patterns: readonly string[], built: Tree, after: Tree, restored: Tree])[] = [
  [
    'a stale file that matches goes, and one that does not stays',
    ['out/*.js'],
    { 'out/a.js': 'a' },
    { 'out/old.js': 'x', 'out/note.txt': 'n' },
    { 'out/note.txt': 'file 644 n' },
  ],
  [
    'what `!` takes away is neither kept nor removed',
    ['out/**', '!out/tmp/**'],
    { 'out/a': 'a', 'out/tmp/x': 'x' },
    { 'out/tmp/y': 'y', 'out/stale': 's' },
    { 'out/tmp': 'folder', 'out/tmp/x': 'file 644 x', 'out/tmp/y': 'file 644 y' },
  ],
  [
    'a `!` with wildcards too',
    ['out/**', '!out/**/*.map'],
    { 'out/a/b.js': 'a' },
    { 'out/a/b.map': 'm', 'out/a/c.js': 'x' },
    { 'out/a/b.map': 'file 644 m' },
  ],
  [
    'folders that stale files leave empty go, others stay',
    ['out/**/*.js'],
    { 'out/a.js': 'a' },
    { 'out/deep/er/x.js': 'x', 'mine/': '' },
    { mine: 'folder' },
  ],
]
for (const [what, patterns, built, after, extra] of cases) {
  test(what, () =>
    inProject(async (project) => {
      write(project.directory, built)
      const result = await captured(project, patterns)
      const before = treeOf(project.directory)
      write(project.directory, after)
      assert.not(await project.outputs.isIntact(patterns, result))
      assert.is((await project.outputs.restore(patterns, result)).state, 'restored')
      assert.equal(treeOf(project.directory), Object.fromEntries(Object.entries({ ...before, ...extra }).sort()))
      assert.ok(await project.outputs.isIntact(patterns, result))
      assert.equal(staged(project.directory), [])
    }),
  )
}

test('one literal file: made anew, in a folder that is gone, over a link, over an empty folder', () =>
  inProject(async (project) => {
    const { directory, outputs } = project
    write(directory, { 'gen/api.ts': '!text' })
    const result = await captured(project, ['gen/api.ts'])
    const before = treeOf(directory)
    const damages: (() => void)[] = [
      () => writeFileSync(join(directory, 'gen/api.ts'), 'edited'),
      () => chmodSync(join(directory, 'gen/api.ts'), 0o600),
      () => rmSync(join(directory, 'gen'), { recursive: true }),
      () => {
        rmSync(join(directory, 'gen/api.ts'))
        symlinkSync('/etc/passwd', join(directory, 'gen/api.ts'))
      },
      () => {
        rmSync(join(directory, 'gen/api.ts'))
        mkdirSync(join(directory, 'gen/api.ts'))
      },
      () => {
        rmSync(join(directory, 'gen/api.ts'))
        write(directory, { 'gen/api.ts/x/y': 'z' })
      },
      () => {
        rmSync(join(directory, 'gen'), { recursive: true })
        write(directory, { 'gen/': '' })
      },
    ]
    for (const damage of damages) {
      damage()
      assert.not(await outputs.isIntact(['gen/api.ts'], result))
      assert.is((await outputs.restore(['gen/api.ts'], result)).state, 'restored')
      assert.equal(treeOf(directory), before)
    }
    assert.equal(await outputs.restore(['gen/api.ts'], result), { state: 'intact' })
  }))

test('a literal pattern that names a folder means everything below it, empty folders and links included', () =>
  inProject(async (project) => {
    write(project.directory, {
      'dist/a/b': 'b',
      'dist/empty/': '',
      'dist/abs': '->/etc/hosts',
      'dist/up': '->../src',
      'dist/dangling': '->none',
    })
    const result = await captured(project, ['dist'])
    assert.equal(Object.keys(result.files), ['dist/a/b'])
    assert.equal(result.links, { 'dist/abs': '/etc/hosts', 'dist/dangling': 'none', 'dist/up': '../src' })
    assert.equal(result.folders, ['dist/empty'])
  }))

test('files too large for one piece are kept and put back', () =>
  inProject(async (project) => {
    const bytes = Buffer.alloc(3 * 1024 * 1024, 'large')
    write(project.directory, { 'dist/': '' })
    writeFileSync(join(project.directory, 'dist/large'), bytes)
    const result = await captured(project, ['dist/large'])
    assert.is(result.files['dist/large']?.digest, digestOf(bytes))
    truncateSync(join(project.directory, 'dist/large'), 5)
    assert.is((await project.outputs.restore(['dist/large'], result)).state, 'restored')
    assert.is(digestOf(readFileSync(join(project.directory, 'dist/large'))), digestOf(bytes))
  }))

// --- what cannot be done -----------------------------------------------------------------------------------------------

const missing: readonly (readonly [pattern: string, cwd: string, message: RegExp, remedy: RegExp])[] = [
  [
    'dist/**',
    '.',
    /nothing that matches `dist\/\*\*`; it ran in the project's folder, and in the project there is dits\/, src\//,
    /did you mean `dits`/,
  ],
  ['src/out.js', 'src', /it ran in `src`, and in `src` there is in\.js/, /relative to `cwd`/],
  ['empty/**', '.', /in `empty` there is nothing/, /relative to `cwd`/],
  ['src/*.map', '.', /in `src` there is in\.js/, /relative to `cwd`/],
]
for (const [pattern, cwd, message, remedy] of missing) {
  test(`a pattern without a match fails and says what is there: ${pattern}`, () =>
    inProject(async ({ directory, outputs }) => {
      write(directory, { 'src/in.js': '', 'dits/a': '', 'empty/': '' })
      rmSync(join(directory, pattern.startsWith('empty') ? 'dits' : 'empty'), { recursive: true })
      const error = (await rejects(outputs.capture([pattern], cwd), message)) as TaskFailure
      assert.instance(error, TaskFailure)
      assert.is(error.failure.reason, 'missing-output')
      assert.match(error.failure.remedy ?? '', remedy)
    }))
}

test('a socket or a pipe among the outputs is a clear failure', () =>
  inProject(async ({ directory, outputs }) => {
    write(directory, { 'out/a': 'a' })
    const server = createServer().listen(join(directory, 'out/socket'))
    await once(server, 'listening')
    for (const patterns of [['out'], ['out/*']]) await rejects(outputs.capture(patterns), /`out\/socket` is a socket, a pipe or a device/)
    server.close()
    spawnSync('mkfifo', [join(directory, 'out/pipe')])
    await rejects(outputs.capture(['out/**']), /`out\/pipe` is a socket, a pipe or a device/)
  }))

test('a pattern that leaves the project is refused', () =>
  inProject(async ({ outputs }) => {
    for (const pattern of ['../x', '/etc/**', 'a/../../x', '!../x']) await rejects(outputs.capture([pattern]), /leaves the project/)
  }))

test('nothing is read, written or removed through a link that leads out of the project', () =>
  inProject(async (project) => {
    const { directory, outputs } = project
    const outside = join(directory, '..', 'outside')
    write(directory, { 'dist/a': 'a', 'dist/b': 'b' })
    const result = await captured(project, ['dist/**'])
    write(outside, { a: 'mine', c: 'mine' })
    const before = treeOf(outside)
    for (const target of [outside, join(outside, 'not-there')]) {
      rmSync(join(directory, 'dist'), { recursive: true })
      symlinkSync(target, join(directory, 'dist'))
      for (const patterns of [['dist/**'], ['dist/*'], ['dist/a', 'dist/b']]) {
        await rejects(outputs.capture(patterns), /outside the project, and `dist` leads out of the project/)
        await rejects(outputs.prepare(patterns), /leads out of the project/)
        assert.not(await outputs.isIntact(patterns, result))
        assert.match(JSON.stringify(await outputs.restore(patterns, result)), /impossible.*leads out of the project/)
      }
      assert.equal(treeOf(outside), before)
    }
    // A link in place of the output itself is what goes, not what it leads to.
    rmSync(join(directory, 'dist'))
    write(directory, { 'dist/': '' })
    symlinkSync(join(outside, 'a'), join(directory, 'dist/a'))
    symlinkSync(outside, join(directory, 'dist/old'))
    assert.is((await outputs.restore(['dist/**'], result)).state, 'restored')
    assert.equal(treeOf(outside), before)
    assert.equal(Object.keys(treeOf(directory)), ['dist', 'dist/a', 'dist/b'])
  }))

test('a link that stays inside the project is followed on the way to outputs', () =>
  inProject(async (project) => {
    write(project.directory, { 'real/dist/a': 'a', linked: '->real' })
    const result = await captured(project, ['linked/dist/**'])
    rmSync(join(project.directory, 'real/dist/a'))
    write(project.directory, { 'real/dist/stale': 'x' })
    assert.is((await project.outputs.restore(['linked/dist/**'], result)).state, 'restored')
    assert.equal(Object.keys(treeOf(project.directory)), ['linked', 'real', 'real/dist', 'real/dist/a'])
  }))

test('a result that names what is none of the task’s outputs is not put back', () =>
  inProject(async ({ directory, cache, outputs }) => {
    const digest = await cache.content.write(Buffer.from('evil'))
    const file = { digest, executable: true }
    write(directory, { 'dist/a': 'a', '.git/config': 'c' })
    const before = treeOf(directory)
    for (const path of ['.git/hooks/pre-commit', 'src/index.ts', '.stagecraft/agent', 'dist/tmp/x']) {
      for (const patterns of [
        ['dist', '!dist/tmp'],
        ['dist/*', '!dist/tmp/**'],
        ['**', '!src/**', '!dist/tmp'],
        ['**/*.ts', '**/[px]*', '!{src,dist}/**'],
      ]) {
        const restored = await outputs.restore(patterns, { files: { [path]: file }, values: {} })
        assert.match(JSON.stringify(restored), /impossible.*none of this task's outputs/, `${path} by ${patterns}`)
      }
    }
    assert.equal(treeOf(directory), before)
  }))

// --- all or nothing --------------------------------------------------------------------------------------------------

const built: Tree = { 'dist/a': 'a', 'dist/b/c': '!c', 'dist/link': '->a', 'dist/empty/': '' }
const present: Tree = {
  'dist/a': 'other',
  'dist/b': 'a file',
  'dist/old/x': '!x',
  'dist/old/link': '->x',
  'dist/gone/': '',
  'dist/link/y': 'y',
}

/** A project in which `present` stands, and the result that `built` had. */
async function halfway(project: Project): Promise<{ result: ActionResult; before: Tree; wanted: Tree }> {
  write(project.directory, built)
  const result = await captured(project, ['dist'])
  const wanted = treeOf(project.directory)
  rmSync(join(project.directory, 'dist'), { recursive: true })
  write(project.directory, present)
  return { result, before: treeOf(project.directory), wanted }
}

test('a blob that is missing or damaged leaves everything as it was', () =>
  inProject(async (project) => {
    const { result, before } = await halfway(project)
    const path = blobPath(project.cache.directory, digestOf('c'))
    for (const damage of [() => writeFileSync(path, 'd'), () => rmSync(path, { force: true })]) {
      damage()
      const restored = await project.outputs.restore(['dist'], result)
      assert.equal(restored, { state: 'impossible', detail: 'cannot be put back: `dist/b/c` is no longer in the cache' })
      assert.equal(treeOf(project.directory), before)
      assert.equal(staged(project.directory), [])
    }
  }))

test('something of the user’s that is in the way leaves everything as it was', () =>
  inProject(async (project) => {
    const patterns = ['dist/**', '!dist/*/mine']
    write(project.directory, built)
    const result = await captured(project, patterns)
    rmSync(join(project.directory, 'dist'), { recursive: true })
    write(project.directory, { ...present, 'dist/a2': '', 'dist/link/mine': 'keep' })
    const before = treeOf(project.directory)
    const restored = await project.outputs.restore(patterns, result)
    assert.match(JSON.stringify(restored), /impossible.*(EISDIR|ENOTEMPTY|EEXIST)/)
    assert.equal(treeOf(project.directory), before)
    assert.equal(staged(project.directory), [])
  }))

test('a staging folder that cannot be made is no more than a reason to run the task', () =>
  inProject(async (project) => {
    const { result, before } = await halfway(project)
    writeFileSync(join(project.directory, '.stagecraft', 'run'), '')
    assert.is((await project.outputs.restore(['dist'], result)).state, 'impossible')
    assert.equal(treeOf(project.directory), before)
  }))

const points = [
  'outputs-away 0',
  'outputs-away 1',
  'outputs-away 3',
  'outputs-folder',
  'outputs-in 0',
  'outputs-in 1',
  'outputs-in 2',
  'outputs-committed',
]
for (const point of points) {
  test(`killed at \`${point}\`: the next run finds the old tree or the new one, never a mixture`, () =>
    inProject(async (project) => {
      const { result, before, wanted } = await halfway(project)
      const child = spawn(process.execPath, [killed, project.directory, JSON.stringify(result), 'dist'], {
        env: { PATH: process.env['PATH'], STAGECRAFT_FAULT: point },
        stdio: 'ignore',
      })
      const [, signal] = (await within(30_000, once(child, 'exit'))) as [number, string]
      assert.is(signal, 'SIGKILL')
      assert.is(staged(project.directory).length, 1)
      const next = projectOutputs(project.directory, project.cache.content)
      assert.is(await next.isIntact(['dist'], result), point === 'outputs-committed')
      assert.equal(treeOf(project.directory), point === 'outputs-committed' ? wanted : before)
      assert.equal(staged(project.directory), [])
      assert.is((await next.restore(['dist'], result)).state, point === 'outputs-committed' ? 'intact' : 'restored')
      assert.equal(treeOf(project.directory), wanted)
    }))
}

test('what somebody made since the kill is not overwritten by putting back what was there before', () =>
  inProject(async (project) => {
    const { result } = await halfway(project)
    spawnSync(process.execPath, [killed, project.directory, JSON.stringify(result), 'dist'], {
      env: { PATH: process.env['PATH'], STAGECRAFT_FAULT: 'outputs-in 1' },
    })
    rmSync(join(project.directory, 'dist'), { recursive: true })
    write(project.directory, { 'dist/a': 'rebuilt by hand' })
    await projectOutputs(project.directory, project.cache.content).prepare(['dist'])
    assert.is(readFileSync(join(project.directory, 'dist/a'), 'utf8'), 'rebuilt by hand')
  }))

test('many processes that restore the same outputs at once leave them whole', () =>
  inProject(async (project) => {
    const { result, wanted } = await halfway(project)
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, [killed, project.directory, JSON.stringify(result), 'dist'], { stdio: 'ignore' }),
    )
    await within(60_000, Promise.all(children.map((child) => once(child, 'exit'))))
    // Who lost the race may say that it is impossible, and run the task; nobody leaves a mixture behind.
    await project.outputs.restore(['dist'], result)
    assert.equal(treeOf(project.directory), wanted)
  }))

// --- looking -----------------------------------------------------------------------------------------------------------

test('digests may come from an index; what it does not vouch for is read', () =>
  inProject(async ({ directory, cache }) => {
    write(directory, { 'dist/a': 'a' })
    const asked: string[] = []
    const outputs = projectOutputs(directory, cache.content, {
      digestOf: (path, stat) => {
        asked.push(`${path} ${stat.size}`)
        return digestOf('a')
      },
    })
    const result = { ...(await outputs.capture(['dist'])), values: {} }
    utimesSync(join(directory, 'dist/a'), 1000, 1000)
    assert.ok(await outputs.isIntact(['dist'], result))
    assert.equal(asked, ['dist/a 1'])
  }))

test('a result of before modes were kept knows what can be executed', () =>
  inProject(async ({ directory, cache, outputs }) => {
    const digest = await cache.content.write(Buffer.from('a'))
    const result: ActionResult = { files: { a: { digest, executable: true } }, values: {} }
    await outputs.restore(['a'], result)
    assert.is(statSync(join(directory, 'a')).mode & 0o777, 0o755)
    chmodSync(join(directory, 'a'), 0o700)
    assert.ok(await outputs.isIntact(['a'], result))
  }))

test('preparing makes the folders patterns lie in, and not the outputs themselves', () =>
  inProject(async ({ directory, outputs }) => {
    await outputs.prepare(['a/b/c.js', 'd/**', 'e/*/f/*.js', '!x/y', 'g'])
    assert.equal(Object.keys(treeOf(directory)), ['a', 'a/b', 'd', 'e'])
    write(directory, { h: 'file' })
    await rejects(outputs.prepare(['h/x']), /the folder `h` for its outputs cannot be made/)
  }))

test('a store that cannot take the bytes does not fail the task', () =>
  inProject(async ({ directory }) => {
    const refuse = async (): Promise<never> => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' }))
    const outputs = projectOutputs(directory, { has: async () => false, read: async () => undefined, write: refuse, writeFile: refuse })
    write(directory, { 'dist/a': 'a' })
    writeFileSync(join(directory, 'dist/large'), Buffer.alloc(2_000_000))
    const { files } = await outputs.capture(['dist'])
    assert.is(files['dist/a']?.digest, digestOf('a'))
    assert.is(files['dist/large']?.digest, digestOf(Buffer.alloc(2_000_000)))
    rmSync(join(directory, 'dist/a'))
    assert.is((await outputs.restore(['dist'], { files, values: {} })).state, 'impossible')
    assert.not(existsSync(join(directory, 'dist/a')))
  }))

test.run()
