import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { certificatePath, lookAround, tasksUpToDate } from '../../../src/state/certificate.ts'
import { inDirectory } from '../../support/directory.ts'
import { Checkout, fates, type Recipe } from './checkout.ts'

const test = suite('state/certificate')

const recipe = (name: string, parts: Partial<Recipe> = {}): Recipe => ({
  name,
  inputs: ['src/a'],
  outputs: [`out/${name}`],
  writes: `out/${name}`,
  needs: [],
  env: [],
  word: 'v1',
  ...parts,
})

async function built(directory: string, recipes: readonly Recipe[] = [recipe('t')]): Promise<Checkout> {
  const checkout = new Checkout(directory, recipes)
  checkout.write('src/a', 'aaaa')
  await checkout.run()
  return checkout
}

const bytesOf = (checkout: Checkout) => join(checkout.directory, certificatePath(['all']))

test('nothing was touched: as many tasks as there are', () =>
  inDirectory(async (folder) => {
    const checkout = await built(folder, [recipe('t'), recipe('u', { inputs: ['src/**', 'out/t'], needs: ['t'] })])
    assert.is(checkout.certified(), 2)
    assert.is(checkout.certified(['other']), undefined)
  }))

const changes: readonly (readonly [string, (checkout: Checkout) => void])[] = [
  ['an input of the same size', (to) => writeFileSync(join(to.directory, 'src/a'), 'bbbb')],
  ['an input and its times put back', (to) => putBackTimes(join(to.directory, 'src/a'))],
  ['an input that was looked for in vain', (to) => to.write('absent', '')],
  ['a file in a folder that a glob looked into', (to) => to.write('lib/new', '')],
  ['a folder that was not there', (to) => to.write('none/x', '')],
  ['an output', (to) => to.write('out/t', 'by hand')],
  ['an output that is gone', (to) => rmSync(join(to.directory, 'out/t'))],
  ['a file beside the outputs', (to) => to.write('gen/stray', '')],
  ['the manifest', (to) => to.write('stagecraft.yml', '')],
  [
    'a variable',
    (to) => {
      to.env['MODE'] = 'other'
    },
  ],
  ['a folder that became a link to another of the same content', (to) => linkFolder(to.directory, 'lib')],
]
for (const [what, change] of changes) {
  test(`not any more after a change of ${what}`, () =>
    inDirectory(async (folder) => {
      const checkout = new Checkout(folder, [
        recipe('t', { inputs: ['src/a', 'absent'], env: ['MODE'] }),
        recipe('u', { inputs: ['lib/**', 'none/*'], outputs: ['gen/**'], writes: 'gen/u' }),
      ])
      checkout.write('src/a', 'aaaa')
      checkout.write('lib/old', '')
      await checkout.run()
      assert.is(checkout.certified(), 2)
      change(checkout)
      assert.is(checkout.certified(), undefined)
    }))
}

function putBackTimes(path: string): void {
  const { atime, mtime } = statSync(path)
  writeFileSync(path, 'cccc')
  utimesSync(path, atime, mtime)
}

function linkFolder(directory: string, name: string): void {
  cpSync(join(directory, name), join(directory, 'elsewhere'), { recursive: true, preserveTimestamps: true })
  rmSync(join(directory, name), { recursive: true })
  symlinkSync('elsewhere', join(directory, name))
}

test('of another build or other variables it says nothing', () =>
  inDirectory(async (folder) => {
    await built(folder, [recipe('t', { env: ['API_*'] })])
    const ask = (build: string, env: Record<string, string>) => tasksUpToDate(lookAround(['all'], { build, directory: folder, env }))
    assert.is(ask('unbundled', {}), 1)
    assert.is(ask('unbundled', { OTHER: 'x' }), 1)
    assert.is(ask('unbundled', { API_URL: '' }), undefined)
    assert.is(ask('1.0.0-other', {}), undefined)
  }))

test('an input edited while its task runs is never certified, not even once it is put back', () =>
  inDirectory(async (folder) => {
    const checkout = new Checkout(folder, [recipe('t')])
    checkout.write('src/a', 'aaaa')
    checkout.whileRunning = () => writeFileSync(join(folder, 'src/a'), 'bbbb')
    await checkout.run()
    assert.is(checkout.certified(), undefined)
    checkout.whileRunning = () => {}
    writeFileSync(join(folder, 'src/a'), 'aaaa')
    assert.is(checkout.certified(), undefined)
    assert.equal(fates(await checkout.run()), { 'exec:t': 'ran' })
  }))

test('an input of one task edited while another runs is not certified', () =>
  inDirectory(async (folder) => {
    const checkout = new Checkout(folder, [recipe('t'), recipe('u', { inputs: ['src/b'], needs: ['t'] })])
    checkout.write('src/a', 'aaaa')
    checkout.write('src/b', 'b')
    checkout.whileRunning = (name) => {
      if (name === 'u') writeFileSync(join(folder, 'src/a'), 'bbbb')
    }
    await checkout.run()
    assert.is(checkout.certified(), undefined)
    assert.is(fates(await checkout.run())['exec:t'], 'ran')
  }))

test('edits within one tick are all seen', () =>
  inDirectory(async (folder) => {
    const checkout = await built(folder)
    for (let turn = 0; turn < 60; turn++) {
      writeFileSync(join(folder, 'src/a'), String(1000 + turn))
      assert.is(checkout.certified(), undefined)
      assert.equal(fates(await checkout.run()), { 'exec:t': 'ran' })
      assert.equal(fates(await checkout.run()), { 'exec:t': 'up to date' })
    }
  }))

test('a failure leaves no certificate', () =>
  inDirectory(async (folder) => {
    const checkout = new Checkout(folder, [recipe('t', { outputs: ['never'] })])
    checkout.write('src/a', 'a')
    await checkout.run()
    assert.is(checkout.certified(), undefined)
  }))

test('a checkout that was moved is the same one; a copy of it finds out by itself', () =>
  inDirectory(async (folder) => {
    await built(join(folder, 'one'))
    cpSync(join(folder, 'one'), join(folder, 'copy'), { recursive: true, preserveTimestamps: true })
    renameSync(join(folder, 'one'), join(folder, 'two'))
    const ask = (name: string) => tasksUpToDate(lookAround(['all'], { build: 'unbundled', directory: join(folder, name), env: {} }))
    assert.is(ask('two'), 1)
    assert.is(ask('copy'), undefined)
    assert.is(ask('one'), undefined)
  }))

test('a certificate of another project in its place is none', () =>
  inDirectory(async (folder) => {
    const one = await built(join(folder, 'one'))
    const two = await built(join(folder, 'two'))
    writeFileSync(bytesOf(two), readFileSync(bytesOf(one)))
    assert.is(two.certified(), undefined)
  }))

test('with any byte changed, or cut anywhere, it is none', () =>
  inDirectory(async (folder) => {
    const checkout = await built(folder)
    const whole = readFileSync(bytesOf(checkout))
    assert.is(checkout.certified(), 1)
    for (let at = 0; at < whole.length; at++) {
      const damaged = Buffer.from(whole)
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8))
      writeFileSync(bytesOf(checkout), damaged)
      assert.is(checkout.certified(), undefined, `byte ${at}`)
      if (at % 7 !== 0) continue
      writeFileSync(bytesOf(checkout), whole.subarray(0, at))
      assert.is(checkout.certified(), undefined, `cut at ${at}`)
    }
    mkdirSync(join(folder, 'lib'))
    rmSync(bytesOf(checkout))
    mkdirSync(bytesOf(checkout))
    assert.is(checkout.certified(), undefined)
  }))

test('with any byte of the state changed, what must run still runs', () =>
  inDirectory(async (folder) => {
    const checkout = await built(folder)
    const path = join(folder, '.stagecraft/run/state')
    const whole = readFileSync(path)
    writeFileSync(join(folder, 'src/a'), 'bbbb')
    for (let at = 0; at < whole.length; at += 11) {
      const damaged = Buffer.from(whole)
      damaged[at] = (damaged[at] ?? 0) ^ 0x11
      writeFileSync(path, damaged)
      checkout.store.results.clear()
      assert.equal(fates(await checkout.run()), { 'exec:t': 'ran' }, `byte ${at}`)
    }
  }))

test('where tools are looked for is part of it', () =>
  inDirectory(async (folder) => {
    const checkout = new Checkout(join(folder, 'project'), [recipe('t', { tools: [['tool', '--version']] })])
    checkout.write('src/a', 'a')
    mkdirSync(join(folder, 'bin'))
    copyFileSync('/bin/true', join(folder, 'bin/tool'))
    checkout.env = { PATH: join(folder, 'bin') }
    await checkout.run()
    await checkout.run()
    assert.is(checkout.certified(), 1)
    checkout.env = { PATH: `${folder}:${join(folder, 'bin')}` }
    assert.is(checkout.certified(), undefined)
  }))

test('a certificate is named for its targets, or for their digest where they are too long for a name', () => {
  assert.is(certificatePath(['a', 'b']), join('.stagecraft', 'run', 'certificates', Buffer.from('a b').toString('base64url')))
  const many = Array.from({ length: 200 }, (_, index) => `task-${index}`)
  assert.match(certificatePath(many), /certificates\/\.[0-9a-f]{64}$/)
  assert.is.not(certificatePath(many), certificatePath([...many, 'more']))
})

test('nothing is left beside a certificate that was replaced', () =>
  inDirectory(async (folder) => {
    const checkout = await built(folder)
    writeFileSync(join(folder, 'src/a'), 'dddd')
    await checkout.run()
    assert.equal(readdirSync(join(folder, '.stagecraft/run')).sort(), ['certificates', 'clock', 'state'])
    assert.is(readdirSync(join(folder, '.stagecraft/run/certificates')).length, 1)
  }))

test.run()
