/** The fast ways decide as the slow one does: random graphs, random edits, and the same checkout without a memory as the judge. */
import { chmodSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { inDirectory } from '../../support/directory.ts'
import { Checkout, fates, isUpToDate, type Recipe, results } from './checkout.ts'

const test = suite('state/equality')

const inputs = ['src/a', 'src/b', 'lib/**', 'lib/*.x', 'src', 'absent']
const places = [
  'src/a',
  'src/b',
  'src/new',
  'lib/one',
  'lib/two.x',
  'lib/deep/three.x',
  'absent',
  'out/t0',
  'out/t1',
  'gen/t2/x',
  'gen/t2/y',
]

const recipes: fc.Arbitrary<Recipe[]> = fc
  .array(
    fc.record({
      inputs: fc.subarray(inputs, { minLength: 1 }),
      isGlob: fc.boolean(),
      needs: fc.nat(7),
      env: fc.boolean(),
      word: fc.constantFrom('v1', 'v2'),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((tasks) =>
    tasks.map(({ inputs: read, isGlob, needs, env, word }, index) => {
      const before = tasks.map((_, other) => other).filter((other) => other < index && (needs & (1 << other)) !== 0)
      const output = (other: number) => (tasks[other]?.isGlob ? `gen/t${other}/**` : `out/t${other}`)
      return {
        name: `t${index}`,
        inputs: [...read, ...before.map(output)],
        outputs: [output(index)],
        writes: isGlob ? `gen/t${index}/x` : `out/t${index}`,
        needs: before.map((other) => `t${other}`),
        env: env ? ['MODE'] : [],
        word,
      }
    }),
  )

const place = fc.constantFrom(...places)
type Edit = (checkout: Checkout) => void
const named = (name: string, edit: Edit): Edit => Object.assign(edit, { toString: () => name })

/** What people and programs do to files; what cannot be done where it is tried is not done. */
const edits: fc.Arbitrary<Edit> = fc.oneof(
  fc
    .tuple(place, fc.constantFrom('x', 'y', 'z', 'longer'))
    .map(([path, text]) => named(`write ${path} ${text}`, (to) => to.write(path, text))),
  fc
    .tuple(place, fc.nat(2e9))
    .map(([path, time]) => named(`touch ${path}`, ({ directory }) => utimesSync(join(directory, path), time, time))),
  fc
    .tuple(place, fc.constantFrom(0o644, 0o755, 0o600))
    .map(([path, mode]) => named(`chmod ${path}`, ({ directory }) => chmodSync(join(directory, path), mode))),
  place.map((path) => named(`rm ${path}`, ({ directory }) => rmSync(join(directory, path), { recursive: true, force: true }))),
  fc
    .tuple(place, place)
    .map(([from, to]) => named(`mv ${from} ${to}`, ({ directory }) => renameSync(join(directory, from), join(directory, to)))),
  fc.tuple(place, fc.constantFrom('a', 'nowhere')).map(([path, target]) =>
    named(`ln ${path} ${target}`, ({ directory }) => {
      rmSync(join(directory, path), { recursive: true, force: true })
      symlinkSync(target, join(directory, path))
    }),
  ),
  fc
    .constantFrom('lib/empty', 'gen/t2/empty')
    .map((path) => named(`mkdir ${path}`, ({ directory }) => void mkdirSync(join(directory, path), { recursive: true }))),
  fc.constantFrom('one', 'two').map((mode) =>
    named(`MODE=${mode}`, (to) => {
      to.env['MODE'] = mode
    }),
  ),
  recipes.map((changed) => named('another manifest', (to) => to.setRecipes(changed))),
  fc.constant(named('nothing', () => {})),
)

function attempt(edit: Edit, checkout: Checkout): void {
  try {
    edit(checkout)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
  }
}

test('the certificate and the state decide as a checkout without either, whatever is done to it', async () => {
  let certified = 0
  await fc.assert(
    fc.asyncProperty(recipes, fc.array(fc.array(edits, { maxLength: 2 }), { minLength: 1, maxLength: 3 }), async (tasks, rounds) =>
      inDirectory(async (folder) => {
        const checkout = new Checkout(join(folder, 'main'), tasks)
        for (const path of places.slice(0, 5)) checkout.write(path, 'x')
        await checkout.run()
        for (const [index, round] of rounds.entries()) {
          for (const edit of round) attempt(edit, checkout)
          const judged = await checkout.fromScratch(join(folder, `judge-${index}`)).run()
          const answer = checkout.certified()
          if (answer !== undefined) certified++
          assert.ok(
            answer === undefined || (isUpToDate(judged) && answer === judged.size),
            `certified, but: ${JSON.stringify(fates(judged))}`,
          )
          assert.equal(fates(await checkout.run()), fates(judged), round.map(String).join(', '))
        }
      }),
    ),
    { numRuns: 500 },
  )
  assert.ok(certified > 50, `only ${certified} were certified`)
})

/** Layers of tasks, of which some format in place what later ones read, and some always run. What a later task reads of an earlier one, it is ordered after. */
const pipelines: fc.Arbitrary<Recipe[]> = fc
  .array(
    fc.record({
      reads: fc.subarray(['src/a', 'src/b', 'lib/**', 'absent'], { minLength: 1 }),
      uses: fc.nat(255),
      orderOnly: fc.nat(255),
      role: fc.constantFrom('plain', 'plain', 'plain', 'tree', 'formatter', 'always', 'untold'),
      env: fc.boolean(),
      word: fc.constantFrom('v1', 'v2'),
    }),
    { minLength: 3, maxLength: 7 },
  )
  .map((tasks) =>
    tasks.map(({ reads, uses, orderOnly, role, env, word }, index) => {
      const output = (other: number) => {
        const known = tasks[other]?.role
        return known === 'formatter' ? `fmt/t${other}` : known === 'tree' ? `gen/t${other}/**` : `out/t${other}`
      }
      const before = tasks.map((_, other) => other).filter((other) => other < index && (uses & (1 << other)) !== 0)
      // The file that a formatter formats is read after it, and what it says of it is not asked for.
      const isNeeded = (other: number) => tasks[other]?.role !== 'formatter' && (orderOnly & (1 << other)) === 0
      const read = before
        .filter((other) => tasks[other]?.role === 'formatter' || isNeeded(other))
        .filter((other) => tasks[other]?.role !== 'untold')
      return {
        name: `t${index}`,
        inputs: role === 'formatter' ? [`fmt/t${index}`] : [...reads, ...read.map(output)],
        outputs: role === 'untold' ? [] : [output(index)],
        writes:
          role === 'formatter' ? `fmt/t${index}` : role === 'tree' ? `gen/t${index}/x` : role === 'untold' ? '.untold' : `out/t${index}`,
        needs: before.filter(isNeeded).map((other) => `t${other}`),
        after: before.filter((other) => !isNeeded(other)).map((other) => `t${other}`),
        ...(role === 'formatter' ? { formats: `fmt/t${index}` } : {}),
        ...(role === 'always' ? { cache: false } : {}),
        env: env ? ['MODE'] : [],
        word,
      }
    }),
  )

const somewhere = fc.constantFrom(
  'src/a',
  'src/b',
  'lib/one',
  'lib/two',
  'absent',
  'out/t0',
  'out/t1',
  'out/t2',
  'gen/t1/x',
  'gen/t1/y',
  'fmt/t0',
  'fmt/t1',
)
const handiwork: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(somewhere, fc.constantFrom('x', 'y', 'z')).map(([path, text]) => named(`write ${path} ${text}`, (to) => to.write(path, text))),
  fc
    .tuple(somewhere, fc.constantFrom('x', 'y'))
    .map(([path, text]) => named(`write ${path} ${text}, times kept`, (to) => writeKeepingTimes(to, path, text))),
  somewhere
    .filter((path) => !path.startsWith('fmt'))
    .map((path) => named(`rm ${path}`, ({ directory }) => rmSync(join(directory, path), { recursive: true, force: true }))),
  fc.constantFrom('one', 'two').map((mode) =>
    named(`MODE=${mode}`, (to) => {
      to.env['MODE'] = mode
    }),
  ),
  fc.constantFrom([], ['t1'], ['t2']).map((names) =>
    named(`broken: ${names}`, (to) => {
      to.broken = new Set(names)
    }),
  ),
  fc
    .nat(6)
    .map((index) =>
      named(`another word for t${index}`, (to) =>
        to.setRecipes(to.recipes.map((recipe) => (recipe.name === `t${index}` ? { ...recipe, word: 'v3' } : recipe))),
      ),
    ),
)

function writeKeepingTimes(to: Checkout, path: string, text: string): void {
  const { atime, mtime } = statSync(join(to.directory, path))
  to.write(path, text)
  utimesSync(join(to.directory, path), atime, mtime)
}

test('tasks that are vouched for end as in a checkout without a memory, whatever is done to it', async () => {
  let vouched = 0
  await fc.assert(
    fc.asyncProperty(
      pipelines,
      fc.array(
        fc.record({ edits: fc.array(handiwork, { maxLength: 2 }), isLaunched: fc.boolean(), force: fc.constantFrom([], [], ['t1']) }),
        {
          minLength: 2,
          maxLength: 4,
        },
      ),
      async (tasks, rounds) =>
        inDirectory(async (folder) => {
          const checkout = new Checkout(join(folder, 'main'), tasks)
          for (const path of ['src/a', 'src/b', 'lib/one', ...tasks.flatMap(({ formats }) => formats ?? [])]) checkout.write(path, 'x')
          await checkout.run()
          for (const [index, { edits: round, isLaunched, force }] of rounds.entries()) {
            for (const edit of round) attempt(edit, checkout)
            const judged = await checkout.fromScratch(join(folder, `judge-${index}`)).run({ force })
            const look = isLaunched ? checkout.look() : undefined
            const outcomes = await checkout.run({ look, force })
            vouched += checkout.vouched.size
            assert.equal(fates(outcomes), fates(judged), round.map(String).join(', '))
            assert.equal(results(outcomes), results(judged))
          }
        }),
    ),
    { numRuns: 300 },
  )
  assert.ok(vouched > 300, `only ${vouched} were vouched for`)
})

test('a run after a run that ended well is certified at once', () =>
  fc.assert(
    fc.asyncProperty(recipes, async (tasks) =>
      inDirectory(async (folder) => {
        const checkout = new Checkout(folder, tasks)
        for (const path of places.slice(0, 5)) checkout.write(path, 'x')
        const outcomes = await checkout.run()
        if (Object.values(fates(outcomes)).every((fate) => fate === 'ran')) assert.is(checkout.certified(), tasks.length)
      }),
    ),
    { numRuns: 50 },
  ))

test.run()
