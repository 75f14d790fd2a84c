/**
 * What a run with nothing to do holds in memory, at the size of the largest projects: the published launcher, the certificate of 10,000 tasks. The
 * certificate is that of a run whose commands were functions, handed over to the published build, since 10,000 real commands take minutes.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type CertificateHead, certificateMark, certificatePath } from '../../src/state/certificate.ts'
import { decodeFrame, encodeFrame, type Frame } from '../../src/state/frame.ts'
import { Checkout } from '../src/state/checkout.ts'
import { inDirectory } from '../support/directory.ts'

const test = suite('e2e/memory')

const launcher = fileURLToPath(new URL('../../../bin/stagecraft.js', import.meta.url))
const tasks = 10_000
const filesEach = 5
const filesInAFolder = 500
const mostMiB = 150

test('a run of 10,000 tasks over 50,000 files that has nothing to do stays within 150 MiB', () =>
  inDirectory(async (directory) => {
    const build = publishedBuild(join(directory, 'small'))
    const project = join(directory, 'big')
    await certifiedProject(project)
    const path = join(project, certificatePath(['all']))
    const { value, text, numbers } = frameAt(path)
    writeFileSync(path, encodeFrame(certificateMark, { value: { ...(value as CertificateHead), build }, text, numbers }))

    const { status, stdout, stderr } = run(project, ['--require', memoryTeller(directory)])
    assert.is(status, 0, stderr)
    assert.is(stdout, 'nothing to do (10000 tasks up to date)\n')
    const peakMiB = Number(/^peak KiB (\d+)$/m.exec(stderr)?.[1]) / 1024
    assert.ok(peakMiB > 20 && peakMiB <= mostMiB, `${peakMiB} MiB`)
  }))

/** Every task reads files of its own, and writes one. */
async function certifiedProject(directory: string): Promise<void> {
  const inputsOf = (index: number) =>
    Array.from({ length: filesEach }, (_, file) => `in/${Math.floor(index / filesInAFolder)}/${index}-${file}`)
  const names = Array.from({ length: tasks }, (_, index) => `t${index}`)
  mkdirSync(directory)
  for (let index = 0; index < tasks; index++)
    for (const path of inputsOf(index)) {
      mkdirSync(join(directory, dirname(path)), { recursive: true })
      writeFileSync(join(directory, path), path)
    }
  const recipes = names.map((name, index) => ({
    name,
    inputs: inputsOf(index),
    outputs: [`out/${name}`],
    writes: `out/${name}`,
    needs: index < 100 ? [] : [`t${index - 100}`],
    env: [],
    word: '',
  }))
  const checkout = new Checkout(directory, recipes)
  await checkout.run()
  assert.is(checkout.certified(), tasks)
}

/** How the published program names itself in the certificates it writes. */
function publishedBuild(directory: string): string {
  mkdirSync(directory)
  writeFileSync(join(directory, 'stagecraft.yml'), 'project: {name: small}\ntasks: {all: {command: ["true"], inputs: [stagecraft.yml]}}\n')
  const path = join(directory, certificatePath(['all']))
  // A manifest counts as settled two seconds after it was written.
  for (const end = Date.now() + 20_000; !existsSync(path); ) {
    assert.ok(Date.now() < end, 'no certificate was written')
    const { status, stderr } = run(directory)
    assert.is(status, 0, stderr)
  }
  return (frameAt(path).value as CertificateHead).build
}

function frameAt(path: string): Frame {
  const frame = decodeFrame(certificateMark, readFileSync(path))
  assert.ok(frame, `${path} is no certificate`)
  return frame as Frame
}

/** Something that a process loads first, and that tells of its memory when it ends. */
function memoryTeller(directory: string): string {
  const path = join(directory, 'tell.cjs')
  writeFileSync(path, "process.on('exit', () => process.stderr.write(`peak KiB ${process.resourceUsage().maxRSS}\\n`))\n")
  return path
}

function run(directory: string, nodeArguments: readonly string[] = []) {
  const env = { PATH: process.env['PATH'], HOME: dirname(directory) }
  return spawnSync(process.execPath, [...nodeArguments, launcher, 'run', 'all'], { cwd: directory, env, encoding: 'utf8' })
}

test.run()
