import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isDirty, releaseVersion, versionProblem } from '../../src/release-version.ts'

const test = suite<{ directory: string }>('src/release-version')
const git = (cwd: string, ...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.invalid', ...args], { cwd, encoding: 'utf8' }).trim()

test.before.each((context) => {
  context.directory = realpathSync(mkdtempSync(join(tmpdir(), 'version-')))
})
test.after.each((context) => rmSync(context.directory, { recursive: true, force: true }))

function repository(directory: string): string {
  git(directory, 'init', '-q', '-b', 'main')
  writeFileSync(join(directory, 'a'), '1')
  git(directory, 'add', '.')
  git(directory, 'commit', '-qm', 'one')
  return git(directory, 'rev-parse', 'HEAD')
}

test('without git and without a given version there is none', ({ directory }) => {
  assert.equal(releaseVersion(directory, undefined, {}), {})
})
test('a given version beats the environment, which beats the commit; the commit is kept beside it', ({ directory }) => {
  const commit = repository(directory)
  assert.equal(releaseVersion(directory, 'v1', { STAGECRAFT_RELEASE_VERSION: 'v2', GITHUB_SHA: 'v3' }), { version: 'v1', commit })
  assert.equal(releaseVersion(directory, undefined, { STAGECRAFT_RELEASE_VERSION: 'v2', GITHUB_SHA: 'v3' }), { version: 'v2', commit })
  assert.equal(releaseVersion(directory, undefined, { STAGECRAFT_RELEASE_VERSION: '', GITHUB_SHA: 'v3' }), { version: 'v3', commit })
  assert.equal(releaseVersion(directory, undefined, {}), { version: commit, commit })
})
test('the commit is found from a subfolder, packed refs, a detached head and a worktree', ({ directory }) => {
  const commit = repository(directory)
  mkdirSync(join(directory, 'deep/er'), { recursive: true })
  assert.is(releaseVersion(join(directory, 'deep/er'), undefined, {}).version, commit)
  git(directory, 'pack-refs', '--all')
  assert.is(releaseVersion(directory, undefined, {}).version, commit)
  git(directory, 'worktree', 'add', '-q', '-b', 'side', join(directory, 'tree'))
  assert.is(releaseVersion(join(directory, 'tree'), undefined, {}).version, commit)
  git(directory, 'checkout', '-q', '--detach')
  assert.is(releaseVersion(directory, undefined, {}).version, commit)
})
test('a fresh repository without a commit has no version', ({ directory }) => {
  git(directory, 'init', '-q')
  assert.equal(releaseVersion(directory, undefined, {}), {})
})
test('only tracked changes make a tree dirty', async ({ directory }) => {
  repository(directory)
  assert.is(await isDirty(directory), false)
  writeFileSync(join(directory, 'untracked'), '')
  assert.is(await isDirty(directory), false)
  writeFileSync(join(directory, 'a'), '2')
  assert.is(await isDirty(directory), true)
})
test('a version must be an image tag', () => {
  for (const good of ['v1.2.3', '9f1c2e7', '_x', 'a'.repeat(128)]) assert.is(versionProblem(good), undefined)
  for (const bad of ['', '-x', 'a b', 'a/b', 'a'.repeat(129)]) assert.match(versionProblem(bad) ?? '', 'not a valid image tag')
})

test.run()
