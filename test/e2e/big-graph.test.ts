/** A large project, counted rather than timed: anything that is done for every task and grows with their number does not end here. Commands are functions, so that all of it is ours. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Checkout, fates, type Recipe } from '../src/state/checkout.ts'
import { inDirectory } from '../support/directory.ts'

const test = suite('e2e/big-graph')

const tasks = 3_000
const filesEach = 10
const layerSize = 1000
/** Three runs and a cache in memory, all in one process: twice what was measured. */
const mostMemoryMiB = 1500

/** Layers; each task reads a folder, and what one task of the layer before wrote. */
function recipes(): Recipe[] {
  return Array.from({ length: tasks }, (_, index) => {
    const before = index - layerSize
    const needs = before < 0 ? [] : [`t${before}`]
    return {
      name: `t${index}`,
      inputs: [`in/t${index}/**`, ...needs.map((name) => `out/${name}`)],
      // All of them in one folder, and every other one as a glob: nobody may look at every entry for every task.
      outputs: [index % 2 === 0 ? `out/t${index}` : `out/t${index}{,.map}`],
      writes: `out/t${index}`,
      needs,
      env: [],
      word: '',
    }
  })
}

test('thousands of tasks over tens of thousands of files run once each, then nothing, then what an edit reaches', () =>
  inDirectory(async (directory) => {
    for (let index = 0; index < tasks; index++) {
      const folder = join(directory, 'in', `t${index}`)
      mkdirSync(folder, { recursive: true })
      for (let file = 0; file < filesEach; file++) writeFileSync(join(folder, String(file)), `${index} ${file}`)
    }
    const checkout = new Checkout(directory, recipes())
    const ran: string[] = []
    checkout.whileRunning = (name) => ran.push(name)

    const first = await checkout.run()
    assert.is(ran.length, tasks)
    assert.is(new Set(ran).size, tasks)
    assert.ok(Object.values(fates(first)).every((fate) => fate === 'ran'))

    const second = await checkout.run()
    assert.is(ran.length, tasks)
    assert.ok(Object.values(fates(second)).every((fate) => fate === 'up to date'))
    assert.is(checkout.certified(), tasks)

    writeFileSync(join(directory, 'in/t500/3'), 'edited')
    assert.is(checkout.certified(), undefined)
    ran.length = 0
    await checkout.run()
    assert.equal(ran, ['t500', 't1500', 't2500'])

    const peakMiB = process.resourceUsage().maxRSS / 1024
    assert.ok(peakMiB < mostMemoryMiB, `${Math.round(peakMiB)} MiB`)
  }))

test.run()
