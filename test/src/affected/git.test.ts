/** `--affected` on real repositories. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { stagecraft } from '../../support/cli.ts'
import { inTemporaryDirectory } from '../../support/temporary-directory.ts'

const test = suite('src/affected/git')

const manifest = `project: {name: shop}
tasks:
  gen: {command: 'cat schema/a.sql > gen.txt', inputs: ['schema/**'], outputs: [gen.txt]}
  test: {command: 'echo tested', inputs: ['src/**'], needs: [gen]}
  lint: {command: 'echo linted', inputs: ['src/**/*.ts'], after: [gen]}
  docs: {command: 'echo written', inputs: ['docs/**']}
`

interface Repository {
  readonly directory: string
  git(...args: readonly string[]): string
  write(path: string, text: string): void
  /** Ids that a run would have with `--affected`, and what was said. */
  affected(flag?: string, cwd?: string): Promise<{ readonly names: readonly string[]; readonly code: number; readonly said: string }>
}

function gitIn(directory: string, ...args: readonly string[]): string {
  const env = {
    PATH: process.env['PATH'],
    HOME: directory,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'a',
    GIT_AUTHOR_EMAIL: 'a@b',
    GIT_COMMITTER_NAME: 'a',
    GIT_COMMITTER_EMAIL: 'a@b',
  }
  return execFileSync('git', args, { cwd: directory, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

async function affectedIn(directory: string, flag = '--affected', project = '.') {
  const argv = ['run', 'test', 'lint', 'docs', '--dry-run', '--format', 'json', flag]
  const { code, stdout, stderr } = await stagecraft(argv, { cwd: join(directory, project) })
  const names = code === 0 ? (JSON.parse(stdout) as { tasks: { id: string }[] }).tasks.map(({ id }) => id.slice('exec:'.length)) : []
  return { names: names.sort(), code, said: stderr }
}

/** One commit on main, and a branch checked out. */
async function inRepository(work: (repository: Repository) => Promise<void>, project = '.'): Promise<void> {
  await inTemporaryDirectory(async (directory) => {
    const write = (path: string, text: string) => {
      mkdirSync(dirname(join(directory, path)), { recursive: true })
      writeFileSync(join(directory, path), text)
    }
    const git = (...args: readonly string[]) => gitIn(directory, ...args)
    git('init', '-q', '-b', 'main')
    write(join(project, 'stagecraft.yml'), manifest)
    for (const path of ['schema/a.sql', 'src/a.ts', 'src/b.css', 'docs/a.md']) write(join(project, path), path)
    write('.gitignore', 'gen.txt\n.stagecraft\nsrc/ignored.ts\n')
    git('add', '-A')
    git('commit', '-qm', 'first')
    git('checkout', '-qb', 'feature')
    await work({ directory, git, write, affected: (flag, cwd) => affectedIn(directory, flag, cwd ?? project) })
  })
}

test('nothing differs: nothing runs, and what was compared with is said', () =>
  inRepository(async ({ affected, git }) => {
    const { names, said } = await affected()
    assert.equal(names, [])
    assert.match(said, `affected since main (${git('rev-parse', '--short=7', 'main').trim()}): 0 of 4 tasks; 0 files differ`)
  }))

test('committed, staged, changed, deleted, untracked and renamed files, odd names among them; ignored ones are not', () =>
  inRepository(async ({ affected, git, write, directory }) => {
    write('src/ignored.ts', 'x')
    assert.equal((await affected()).names, [])
    write('src/b.css', 'committed')
    git('commit', '-qam', 'second')
    assert.equal((await affected()).names, ['gen', 'test'], 'what is needed comes along, what only comes first does not')
    git('reset', '-q', '--hard', 'main')
    write('docs/a.md', 'staged')
    git('add', '-A')
    assert.equal((await affected()).names, ['docs'])
    git('reset', '-q', '--hard', 'main')
    rmSync(join(directory, 'schema/a.sql'))
    assert.equal((await affected()).names, ['gen', 'test'])
    git('reset', '-q', '--hard', 'main')
    write('docs/new\t line "quoted" ü.md', 'untracked')
    assert.equal((await affected()).names, ['docs'])
    git('clean', '-qfd')
    renameSync(join(directory, 'src/a.ts'), join(directory, 'docs/a.ts'))
    git('add', '-A')
    assert.equal((await affected()).names, ['docs', 'gen', 'lint', 'test'], 'a rename is both of its names')
  }))

test('a definition: a comment affects nothing, a command its task; a manifest that was not there or is broken affects all', () =>
  inRepository(async ({ affected, git, write }) => {
    write('stagecraft.yml', `# a comment\n${manifest}`)
    assert.equal((await affected()).names, [])
    write('stagecraft.yml', manifest.replace('echo written', 'echo WRITTEN'))
    assert.equal((await affected()).names, ['docs'])
    write('stagecraft.yml', 'project: {name: shop}\ntaskz: {}\n')
    git('commit', '-qam', 'broken')
    write('stagecraft.yml', manifest)
    const broken = await affected('--affected=HEAD')
    assert.is(broken.names.length, 4)
    assert.match(broken.said, 'stagecraft.yml at HEAD cannot be used')
    git('rm', '-qf', 'stagecraft.yml')
    git('commit', '-qm', 'gone')
    write('stagecraft.yml', manifest)
    const absent = await affected('--affected=HEAD')
    assert.is(absent.names.length, 4)
    assert.match(absent.said, 'stagecraft.yml did not exist at HEAD')
  }))

test('a project below the top of its repository, whatever git is configured to show', () =>
  inRepository(async ({ affected, git, write }) => {
    for (const [key, value] of [
      ['diff.relative', 'true'],
      ['diff.noprefix', 'true'],
      ['status.relativePaths', 'false'],
      ['core.quotePath', 'true'],
      ['diff.renames', 'copies'],
    ] as const)
      git('config', key, value)
    write('elsewhere/src/a.ts', 'x')
    assert.equal((await affected()).names, [])
    write('packages/shop/docs/ä.md', 'x')
    assert.equal((await affected()).names, ['docs'])
  }, 'packages/shop'))

test('the branch of origin is taken where there is one', () =>
  inRepository(async ({ git, directory, write }) => {
    write('docs/a.md', 'on the branch')
    git('commit', '-qam', 'second')
    await inTemporaryDirectory(async (clone) => {
      gitIn(clone, 'clone', '-q', '--branch', 'feature', `file://${directory}`, 'shop')
      const shop = join(clone, 'shop')
      assert.match((await affectedIn(shop)).said, 'affected since origin/feature')
      gitIn(shop, 'remote', 'set-head', 'origin', 'main')
      const { names, said } = await affectedIn(shop)
      assert.match(said, 'affected since origin/main')
      assert.equal(names, ['docs'])
    })
  }))

test('a shallow clone is told what to fetch', () =>
  inRepository(async ({ git, directory, write }) => {
    for (const text of ['one', 'two', 'three']) {
      write('docs/a.md', text)
      git('commit', '-qam', text)
    }
    await inTemporaryDirectory(async (clone) => {
      gitIn(clone, 'clone', '-q', '--depth', '1', '--single-branch', '--branch', 'feature', `file://${directory}`, 'shop')
      const shop = join(clone, 'shop')
      const missing = await affectedIn(shop, '--affected=origin/main')
      assert.is(missing.code, 1)
      assert.match(
        missing.said,
        'error[SC3123]: git knows no commit called `origin/main`; this clone is shallow: fetch it first, as in `git fetch --depth 100 origin main`',
      )
      gitIn(shop, 'fetch', '-q', '--depth', '1', 'origin', 'main:refs/remotes/origin/main')
      const short = await affectedIn(shop, '--affected=origin/main')
      assert.is(short.code, 1)
      assert.match(short.said, 'error[SC3124]: this clone is shallow, and does not reach back')
      gitIn(shop, 'fetch', '-q', '--unshallow')
      assert.equal((await affectedIn(shop, '--affected=origin/main')).names, ['docs'])
    })
  }))

for (const [flag, expected] of [
  ['--affected=nowhere', 'error[SC3123]: git knows no commit called `nowhere`; fetch it, or name another'],
  ['--affected=--output=x', 'error[SC3123]: `--output=x` is no name of a commit'],
  ['--affected=orphan', 'error[SC3124]: nothing can be compared with `orphan`: it has no commit in common'],
] as const) {
  test(`${flag} is an error`, () =>
    inRepository(async ({ affected, git }) => {
      git('checkout', '-q', '--orphan', 'orphan')
      git('commit', '-qm', 'alone')
      git('checkout', '-q', 'feature')
      const { code, said } = await affected(flag)
      assert.is(code, 1)
      assert.match(said, expected)
    }))
}

test('without a repository, or without a commit, there is nothing to compare with', () =>
  inTemporaryDirectory(async (directory) => {
    writeFileSync(join(directory, 'stagecraft.yml'), manifest)
    assert.match(
      (await affectedIn(directory)).said,
      'error[SC3122]: `--affected` compares with a commit, and this folder is in no git repository',
    )
    gitIn(directory, 'init', '-q', '-b', 'trunk')
    assert.match(
      (await affectedIn(directory)).said,
      'error[SC3123]: none of origin/HEAD, origin/main, origin/master, main, master is there',
    )
  }))

test.run()
