/** The engine under ill treatment: killed at any moment, run several times at once, its memory damaged. Outputs are compared with what inputs say. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startCli, writeManifest } from '../support/cli-process.ts'
import { inDirectory } from '../support/directory.ts'
import { type Ended, Pile } from '../support/task-project.ts'

const test = suite('e2e/torture')

/** A small generator of numbers (mulberry32), so that every run of this file does the same. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

function assertDone({ code, stdout, stderr }: Ended): void {
  assert.is(code, 0, `${stdout}\n${stderr}`)
}

async function withPile(options: ConstructorParameters<typeof Pile>[0], work: (pile: Pile) => Promise<void>): Promise<void> {
  const pile = new Pile(options)
  try {
    await work(pile)
  } finally {
    pile.remove()
  }
}

test('killed at any moment, it never believes what is not so, and what was finished stays finished', async () => {
  await withPile({ layers: 4, width: 5 }, async (pile) => {
    const next = numbers(1)
    assertDone(await pile.run())
    for (let round = 0; round < 20; round++) {
      for (let edits = next(4); edits >= 0; edits--) pile.edit(pile.names[next(pile.names.length)] ?? '')
      pile.ran()
      await pile.runAndKill(next(24))
      assertDone(await pile.run())
      pile.assertRight()
      pile.ran()
      const again = await pile.run()
      assertDone(again)
      assert.match(again.stdout, /nothing to do/)
      assert.equal(pile.ran(), [])
    }
  })
})

test('several runs at once in one checkout run every task once between them', async () => {
  await withPile({ layers: 4, width: 5 }, async (pile) => {
    for (const all of await Promise.all([1, 2, 3, 4].map(() => pile.run('--concurrency', '2')))) assertDone(all)
    pile.assertRight()
    assert.equal(pile.ran(), [...pile.names].sort())
    pile.edit('l0n0')
    for (const all of await Promise.all([1, 2, 3].map(() => pile.run()))) assertDone(all)
    pile.assertRight()
    const ran = pile.ran()
    assert.equal(ran, [...new Set(ran)], 'a task ran twice')
  })
})

test('checkouts that share one cache folder help each other, whoever is killed or prunes', async () => {
  const cache = mkdtempSync(join(tmpdir(), 'pile-cache-'))
  const piles = Array.from({ length: 4 }, () => new Pile({ layers: 3, width: 4, cache }))
  const next = numbers(2)
  try {
    for (let round = 0; round < 6; round++) {
      // All checkouts get the same edits, so that each can use what another made.
      const edited = Array.from({ length: 3 }, () => next(12))
      for (const pile of piles) for (const index of edited) pile.edit(pile.names[index] ?? '')
      const [victim] = piles
      await Promise.all([victim?.runAndKill(next(12)), ...piles.slice(1).map(async (pile) => assertDone(await pile.run()))])
      for (const pile of piles) {
        assertDone(await pile.run())
        pile.assertRight()
      }
    }
    for (const pile of piles) pile.ran()
    const fresh = new Pile({ layers: 3, width: 4, cache })
    piles.push(fresh)
    assertDone(await fresh.run())
    fresh.assertRight()
  } finally {
    for (const pile of piles) pile.remove()
    rmSync(cache, { recursive: true, force: true })
  }
})

test('whatever is damaged in its memory is a miss, never a crash and never a wrong result', async () => {
  await withPile({ layers: 3, width: 4 }, async (pile) => {
    const next = numbers(3)
    assertDone(await pile.run())
    for (let round = 0; round < 15; round++) {
      const kept = join(pile.directory, '.stagecraft')
      const files = readdirSync(kept, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
      for (let hits = 0; hits < 6; hits++) {
        const file = files[next(files.length)]
        if (file) damage(join(file.parentPath, file.name), next)
      }
      if (next(2) === 0) pile.edit(pile.names[next(pile.names.length)] ?? '')
      rmSync(join(pile.directory, 'out', pile.names[next(pile.names.length)] ?? ''))
      assertDone(await pile.run())
      pile.assertRight()
    }
  })
})

// What is on the disk then was made from B, and nobody remembers that it was: neither the run state nor, before the last two, the cache.
for (const point of ['before-task', 'task-made', 'after-task', 'task-unlocked'])
  test(`killed at ${point}, the next run makes what its inputs say, also when they are as they were before`, () =>
    inDirectory(async (directory) => {
      const at = (name: string) => join(directory, name)
      writeManifest(directory, {
        one: { command: 'cat in > one', inputs: ['in'], outputs: ['one'] },
        two: { command: 'cat one one > two', inputs: ['one'], outputs: ['two'], needs: ['one'] },
      })
      const run = (env = {}) => startCli(directory, ['run', 'two'], env).ended
      for (const text of ['A', 'B', 'A', 'C']) {
        writeFileSync(at('in'), text)
        if (text === 'B' || text === 'C')
          for (const task of ['one', 'two']) {
            const isDone = text === 'C' && point !== 'before-task'
            assert.is(await run({ STAGECRAFT_FAULT: `${point} exec:${task}` }), 'SIGKILL', `${text}: ${task}`)
            if (isDone) assert.is(readFileSync(at(task), 'utf8'), task === 'one' ? 'C' : 'CC', 'it had been made')
          }
        if (text === 'B') continue
        assert.is(await run(), 0)
        assert.is(readFileSync(at('two'), 'utf8'), text + text)
        const again = startCli(directory, ['run', 'two'])
        assert.is(await again.ended, 0)
        assert.match(again.text(), 'nothing to do')
      }
    }))

/** A byte flipped, the end cut off, or everything replaced. */
function damage(path: string, next: (below: number) => number): void {
  const bytes = readFileSync(path)
  const way = next(3)
  const place = next(Math.max(1, bytes.length))
  if (way === 0 && bytes.length > 0) bytes[place] = (bytes[place] ?? 0) ^ (1 << next(8))
  writeFileSync(path, way === 1 ? bytes.subarray(0, place) : way === 2 ? 'not what was here' : bytes)
}

test.run()
