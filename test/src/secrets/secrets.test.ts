import { createHmac } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Location } from '../../../graph/types.ts'
import { parseDotenv as realDotenv } from '../../../src/config/dotenv.ts'
import { InputError } from '../../../src/contracts.ts'
import { loadSecrets, type SecretsOptions } from '../../../src/secrets/secrets.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import { rejects } from '../../support/assertions.ts'
import { inTemporaryDirectory } from '../../support/temporary-directory.ts'

const test = suite('src/secrets/secrets')

const key = 'a'.repeat(64)
/** Enough of dotenv for these tests. */
const parseDotenv = (text: string) =>
  Object.fromEntries(text.split('\n').flatMap((line) => (line.includes('=') ? [line.split('=', 2)] : [])))

function load(projectDirectory: string, options: Partial<SecretsOptions>) {
  return loadSecrets({ names: [], processEnv: {}, projectDirectory, key, parseDotenv, ...options })
}

test('values are those of the file, and of the process for declared names only (D28)', () =>
  inTemporaryDirectory(async (directory) => {
    const envFile = join(directory, 'prod.env')
    await writeFile(envFile, 'API_KEY=from-file\nDATABASE_URL=from-file\nOTHER=undeclared-value\n')
    const processEnv = { DATABASE_URL: 'from-process', HOME: 'somewhere-private', OTHER: 'ambient' }
    const secrets = await load(directory, { envFile, names: ['DATABASE_URL', 'API_KEY', 'API_KEY'], processEnv })
    assert.equal(secrets.names, ['API_KEY', 'DATABASE_URL'])
    assert.is(secrets.get('API_KEY'), 'from-file')
    assert.is(secrets.get('DATABASE_URL'), 'from-process')
    assert.throws(() => secrets.get('HOME'), /`HOME` is not a declared secret/)
    assert.throws(() => secrets.get('OTHER'), /`OTHER` is not a declared secret/)
    assert.is(secrets.digest('HOME'), 'absent')
    assert.is(secrets.redact('from-file from-process undeclared-value somewhere-private'), '*** *** *** somewhere-private')
  }))

test('a value that refers to others is whole, follows what the process gives for a declared name, and is hidden as a whole', () =>
  inTemporaryDirectory(async (directory) => {
    const envFile = join(directory, 'prod.env')
    await writeFile(envFile, 'USER=anna\nPASSWORD=from-file\nHOME_PAGE=plain\nURL=db://${USER}:${PASSWORD}@db/${HOME}/${HOME_PAGE}\n')
    const processEnv = { PASSWORD: 'from-process', HOME: 'ambient', HOME_PAGE: 'not declared' }
    const secrets = await load(directory, { envFile, names: ['USER', 'PASSWORD', 'URL'], processEnv, parseDotenv: realDotenv })
    assert.is(secrets.get('URL'), 'db://anna:from-process@db/${HOME}/plain')
    assert.is(secrets.redact(`url=${secrets.get('URL')} from-file`), 'url=*** ***')
    const without = await load(directory, { envFile, names: ['URL'], parseDotenv: realDotenv })
    assert.is(without.get('URL'), 'db://anna:from-file@db/${HOME}/plain')
    assert.is.not(without.digest('URL'), secrets.digest('URL'), 'what it refers to changes its digest')
  }))

test('values that go round in a circle are an input error that shows no value', () =>
  inTemporaryDirectory(async (directory) => {
    const envFile = join(directory, 'prod.env')
    await writeFile(envFile, 'A=topsecret${B}\nB=${A}\n')
    const error = await rejects(load(directory, { envFile, names: ['A'], parseDotenv: realDotenv }), /`A` refers to itself: A → B → A/)
    assert.instance(error, InputError)
    assert.not.match(error.message, 'topsecret')
  }))

test('a digest is an HMAC of name and value: neither the value nor equality of two secrets shows', () =>
  inTemporaryDirectory(async (directory) => {
    const processEnv = { A: 'same', B: 'same', EMPTY: '' }
    const secrets = await load(directory, { names: ['A', 'B', 'EMPTY', 'MISSING'], processEnv })
    assert.is(secrets.digest('A'), createHmac('sha256', key).update('A\0same').digest('hex'))
    assert.is.not(secrets.digest('A'), secrets.digest('B'))
    assert.match(secrets.digest('EMPTY'), /^[0-9a-f]{64}$/)
    assert.is(secrets.digest('MISSING'), 'absent')
    const other = await load(directory, { names: ['A'], processEnv, key: 'b'.repeat(64) })
    assert.is.not(other.digest('A'), secrets.digest('A'))
  }))

test('a secret that is not set is a failure that says where to set it', () =>
  inTemporaryDirectory(async (directory) => {
    const envFile = join(directory, 'prod.env')
    await writeFile(envFile, '')
    const secrets = await load(directory, { envFile, names: ['API_KEY'] })
    try {
      secrets.get('API_KEY')
      assert.unreachable()
    } catch (error) {
      assert.instance(error, TaskFailure)
      const { failure } = error as TaskFailure
      assert.is(failure.subject, 'API_KEY')
      assert.is(failure.message, '`API_KEY` is not set')
      assert.is(failure.remedy, `set API_KEY in the environment or in ${envFile}`)
    }
    assert.throws(() => secrets.get('constructor'), /not a declared secret/)
  }))

test('an env_file that does not exist is the user’s to mend, and points at the line that names it', () =>
  inTemporaryDirectory(async (directory) => {
    const envFileOrigin: Location = { file: 'stagecraft.yml', line: 3, column: 5, length: 9, text: '    env_file: prod.env' }
    const error = await rejects(
      load(directory, { envFile: join(directory, 'prod.env'), envFileOrigin }),
      /env_file .*prod\.env` does not exist/,
    )
    assert.instance(error, InputError)
    assert.equal((error as InputError).diagnostics[0]?.location, envFileOrigin)
    const other = await rejects(load(directory, { envFile: directory }), /cannot be read/)
    assert.instance(other, InputError)
  }))

test('a secret may be a file of the project', () =>
  inTemporaryDirectory(async (directory) => {
    await writeFile(join(directory, 'npmrc'), '//registry/:_authToken=npm_123456\n')
    await mkdir(join(directory, 'folder'))
    const secrets = await load(directory, {
      names: ['file:npmrc', 'file:missing', 'file:~/not-there-at-all'],
      processEnv: { 'file:npmrc': 'no' },
    })
    assert.is(secrets.get('file:npmrc'), '//registry/:_authToken=npm_123456\n')
    assert.is(secrets.digest('file:missing'), 'absent')
    assert.throws(() => secrets.get('file:missing'), /file of a secret does not exist/)
    assert.is(secrets.redact('x //registry/:_authToken=npm_123456 y'), 'x *** y')
    await rejects(load(directory, { names: ['file:folder'] }), /cannot be read/)
  }))

test.run()
