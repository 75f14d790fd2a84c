import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { InputError } from '../../../src/contracts.ts'
import { adoptProjectKey, loadProjectKey } from '../../../src/secrets/project-key.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import { rejects } from '../../support/assertions.ts'
import { inTemporaryDirectory } from '../../support/temporary-directory.ts'

const test = suite('src/secrets/project-key')
const other = 'ab'.repeat(32)

test('a key is made once, for the owner’s eyes only, and the same from then on', () =>
  inTemporaryDirectory(async (projectDirectory) => {
    const key = await loadProjectKey({ projectDirectory, env: {} })
    assert.match(key, /^[0-9a-f]{64}$/)
    assert.is(await loadProjectKey({ projectDirectory, env: { STAGECRAFT_PROJECT_KEY: '' } }), key)
    const path = join(projectDirectory, '.stagecraft', 'project.key')
    assert.is((await stat(path)).mode & 0o777, 0o600)
    assert.is(await readFile(path, 'utf8'), `${key}\n`)
    assert.equal(await readdir(join(projectDirectory, '.stagecraft')), ['project.key'])
  }))

test('many that find no key at once agree on one', () =>
  inTemporaryDirectory(async (projectDirectory) => {
    const keys = await Promise.all(Array.from({ length: 20 }, () => loadProjectKey({ projectDirectory, env: {} })))
    assert.is(new Set(keys).size, 1)
    assert.equal(await readdir(join(projectDirectory, '.stagecraft')), ['project.key'])
  }))

test('the variable beats the file and makes none', () =>
  inTemporaryDirectory(async (projectDirectory) => {
    assert.is(await loadProjectKey({ projectDirectory, env: { STAGECRAFT_PROJECT_KEY: ` ${other.toUpperCase()}\n` } }), other)
    assert.equal(await readdir(projectDirectory), [])
  }))

test('a variable that holds no key is an input error that does not repeat it', () =>
  inTemporaryDirectory(async (projectDirectory) => {
    const error = await rejects(
      loadProjectKey({ projectDirectory, env: { STAGECRAFT_PROJECT_KEY: 'hunter2' } }),
      /expected 64 hexadecimal digits/,
    )
    assert.instance(error, InputError)
    assert.not.match(JSON.stringify((error as InputError).diagnostics), /hunter2/)
  }))

test('a damaged key is a failure, and is left as it is', () =>
  inTemporaryDirectory(async (projectDirectory) => {
    const path = join(projectDirectory, '.stagecraft', 'project.key')
    await mkdir(join(projectDirectory, '.stagecraft'))
    await writeFile(path, 'half')
    assert.instance(await rejects(loadProjectKey({ projectDirectory, env: {} })), TaskFailure)
    assert.is(await readFile(path, 'utf8'), 'half')
  }))

test('a key from a host takes the place of this machine’s', () =>
  inTemporaryDirectory(async (projectDirectory) => {
    await loadProjectKey({ projectDirectory, env: {} })
    assert.is(await adoptProjectKey(projectDirectory, other), true)
    assert.is(await adoptProjectKey(projectDirectory, other), false)
    assert.is(await loadProjectKey({ projectDirectory, env: {} }), other)
    assert.is((await stat(join(projectDirectory, '.stagecraft', 'project.key'))).mode & 0o777, 0o600)
    await rejects(adoptProjectKey(projectDirectory, 'short'), /does not hold a project key/)
  }))

test('a folder that cannot be made is a failure that says so', () =>
  inTemporaryDirectory(async (projectDirectory) => {
    await writeFile(join(projectDirectory, '.stagecraft'), 'a file')
    assert.instance(await rejects(loadProjectKey({ projectDirectory, env: {} }), /out of reach/), TaskFailure)
  }))

test.run()
