/** What users will test a task runner on, one by one, through the published program (the list of issue 3). */
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, lstatSync, readlinkSync, renameSync, symlinkSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { inDirectory } from '../support/directory.ts'
import { PublishedProgram } from '../support/published-program.ts'

const test = suite('e2e/behaviour')

const inProject =
  (tasks: Readonly<Record<string, object>>, work: (program: PublishedProgram) => void | Promise<void>, more: object = {}) =>
  () =>
    inDirectory(async (directory) => work(new PublishedProgram(join(directory, 'shop'), tasks, more)))

const join_ = { command: 'mkdir -p out && cat src/* > out/all', inputs: ['src/**'], outputs: ['out/**'] }

test(
  'an input edited while its task runs: said so by name, and the result is not cached',
  inProject({ slow: { ...join_, command: 'mkdir -p out && cat src/* > out/all && echo B > src/a' } }, (program) => {
    program.write('src/a', 'A\n')
    assert.match(program.say('run slow').all, 'src/a changed while it ran: the result is used, but not cached')
    program.write('src/a', 'A\n')
    assert.equal(program.ran('slow'), ['slow'], 'what was made from nobody knows what is not served for A')
  }),
)

test(
  'a formatter that rewrites its inputs settles',
  inProject({ format: { command: 'tr A-Z a-z < src/a > tmp && mv tmp src/a', inputs: ['src/**'] } }, (program) => {
    program.write('src/a', 'A\n')
    program.ran('format')
    program.ran('format')
    assert.ok(program.isUpToDate('format'))
    assert.is(program.read('src/a'), 'a\n')
  }),
)

test(
  'success without a declared output is a failure that names it',
  inProject({ empty: { command: 'true', inputs: [], outputs: ['dist/**'] } }, (program) => {
    const { code, all } = program.say('run empty')
    assert.is(code, 2)
    assert.match(all, 'dist/**')
    assert.is(program.say('run empty').code, 2, 'and is not remembered as a success')
  }),
)

test(
  'outputs edited, deleted or left over are made right, with modes and links as they were built',
  inProject(
    {
      bundle: {
        command: 'mkdir -p out && cp src/a out/a && cp src/a out/run && chmod 755 out/run && ln -sf a out/link',
        inputs: ['src/**'],
        outputs: ['out/**'],
      },
    },
    (program) => {
      program.write('src/a', 'one')
      program.ran('bundle')
      program.write('out/a', 'edited')
      program.remove('out/link')
      program.write('out/stale', '')
      chmodSync(program.path('out/run'), 0o644)
      assert.equal(program.ran('bundle'), [])
      assert.equal(program.files('out'), ['out/a', 'out/link', 'out/run'])
      assert.is(program.read('out/a'), 'one')
      assert.is(lstatSync(program.path('out/run')).mode & 0o777, 0o755)
      assert.is(readlinkSync(program.path('out/link')), 'a')
      assert.ok(program.isUpToDate('bundle'))
    },
  ),
)

test(
  'a variable that is not declared is withheld; `env` counts, `pass_env` is only passed on',
  inProject(
    { show: { command: 'echo "$DECLARED $PASSED $OTHER" > out', inputs: [], outputs: ['out'], env: ['DECLARED'], pass_env: ['PASSED'] } },
    (program) => {
      const env = { DECLARED: 'd', PASSED: 'p', OTHER: 'o' }
      program.ran('show', env)
      assert.is(program.read('out'), 'd p \n')
      assert.ok(program.isUpToDate('show', { ...env, PASSED: 'q', OTHER: 'x' }))
      assert.equal(program.ran('show', { ...env, DECLARED: 'e' }), ['show'])
      assert.match(program.say('explain show', env).stdout, 'variable DECLARED')
    },
  ),
)

function swap(program: PublishedProgram): void {
  program.write('src/a', 'B\n')
  program.write('src/b ü', 'A\n')
}

function toLink(program: PublishedProgram): void {
  program.remove('src/a')
  symlinkSync('b ü', program.path('src/a'))
}

const changes: readonly (readonly [string, readonly string[], (program: PublishedProgram) => void])[] = [
  ['a touch', [], (program) => utimesSync(program.path('src/a'), 1_000_000_000, 1_000_000_000)],
  ['the same content again', [], (program) => program.write('src/a', 'A\n')],
  ['chmod +x', ['bundle'], (program) => chmodSync(program.path('src/a'), 0o755)],
  ['a rename', ['bundle'], (program) => renameSync(program.path('src/a'), program.path('src/z'))],
  ['other line ends', ['bundle'], (program) => program.write('src/a', 'A\r\n')],
  ['two contents swapped', ['bundle'], swap],
  ['a new file', ['bundle'], (program) => program.write('src/deep/er', 'C')],
  ['a file that is gone', ['bundle'], (program) => program.remove('src/b ü')],
  ['a file nobody reads', [], (program) => program.write('other', 'C')],
  ['a file in place of a link to the same', ['bundle'], toLink],
]
for (const [what, ran, change] of changes) {
  test(
    `${what} runs ${ran.length === 0 ? 'nothing' : 'the task'}`,
    inProject({ bundle: { ...join_, command: 'mkdir -p out && cat src/[a-z]* > out/all || true' } }, (program) => {
      program.write('src/a', 'A\n')
      program.write('src/b ü', 'B\n')
      program.ran('bundle')
      assert.ok(program.isUpToDate('bundle'))
      change(program)
      assert.equal(program.ran('bundle'), ran)
      assert.ok(program.isUpToDate('bundle'))
    }),
  )
}

test(
  'content that comes back is restored, not made again',
  inProject({ bundle: join_ }, (program) => {
    for (const text of ['A', 'B']) {
      program.write('src/a', text)
      assert.equal(program.ran('bundle'), ['bundle'])
    }
    program.write('src/a', 'A')
    assert.equal(program.ran('bundle'), [])
    assert.is(program.read('out/all'), 'A')
  }),
)

test(
  'a checkout may move, and a copy of it elsewhere has nothing to do either',
  inProject({ bundle: join_ }, (program) => {
    program.write('src/a', 'A')
    program.ran('bundle')
    const elsewhere = `${program.directory} élsewhere`
    cpSync(program.directory, elsewhere, { recursive: true })
    program.remove('.')
    const moved = new PublishedProgram(elsewhere, { bundle: join_ })
    assert.equal(moved.ran('bundle'), [])
    moved.remove('.stagecraft')
    assert.equal(moved.ran('bundle'), ['bundle'], 'without its memory it does the work again')
    assert.ok(moved.isUpToDate('bundle'))
  }),
)

test(
  'two tasks and one file: refused with both names; what was not declared is seen by its effect',
  inProject({ bundle: join_ }, (program) => {
    program.declare({ gen: { command: 'true', inputs: [], outputs: ['src/gen'] }, bundle: join_ })
    const refused = program.say('run bundle')
    assert.is(refused.code, 1)
    assert.match(refused.all, /`bundle` reads .*`gen` writes/)
    program.declare({ sly: { command: 'echo $$ > src/sly', inputs: [] }, bundle: { ...join_, needs: ['sly'] } })
    program.write('src/a', 'A')
    program.ran('bundle --force=sly')
    assert.equal(program.ran('bundle --force=sly'), ['bundle', 'sly'])
  }),
)

const chain = {
  gen: { command: 'echo gen >> ran; mkdir -p gen; grep -v "^#" schema > gen/out', inputs: ['schema'], outputs: ['gen/**'] },
  bundle: { command: 'echo bundle >> ran; mkdir -p out; cat gen/out > out/b', inputs: [], outputs: ['out/**'], needs: ['gen'] },
  test: { command: 'echo test >> ran', inputs: [], needs: ['bundle'] },
}

test(
  'early cutoff: a need that made the same again runs nobody else, and explain says what did not change',
  inProject(chain, (program) => {
    program.write('schema', 'a\n')
    assert.equal(program.ran('test'), ['bundle', 'gen', 'test'])
    program.append('schema', '# a comment\n')
    assert.match(program.say('run test --dry-run').stdout, /gen +run +schema changed/)
    assert.equal(program.ran('test'), ['gen'])
    const explained = program.say('explain bundle --verbose').stdout
    assert.match(explained, /^bundle {2}is up to date/)
    assert.match(explained, /1 result of a need\n +(exec:)?gen\n/)
    program.append('schema', 'b\n')
    assert.match(program.say('explain gen').stdout, /changed +file schema/)
    assert.equal(program.ran('test'), ['bundle', 'gen', 'test'])
    assert.match(program.say('run test --explain').all, /nothing to do|up to date/)
  }),
)

test(
  'flags: --force=glob, --only, --no-cache, --dry-run, --concurrency',
  inProject(chain, (program) => {
    program.write('schema', 'a\n')
    assert.match(program.say('run test --dry-run').stdout, '1 to run')
    assert.equal(program.files('gen'), [], 'a plan touches nothing')
    assert.equal(program.files('.stagecraft'), [])
    program.ran('test -j 50%')
    assert.equal(program.ran('test --force=b*'), ['bundle'])
    const wrong = program.say('run test --force=bunlde')
    assert.is(wrong.code, 1)
    assert.match(wrong.stderr, /SC3120.*`--force=bunlde` matches none of the 3 tasks[\s\S]*did you mean `bundle`/)
    program.write('schema', 'c\n')
    assert.equal(program.ran('test --only test'), [], 'on the last results of the rest')
    program.write('schema', 'a\n')
    const uncached = program.say('run test --no-cache')
    assert.match(uncached.all, /gen {2}no cache is used/)
    assert.ok(program.isUpToDate('test'))
  }),
)

test(
  'without a word it says what can be run, and a mistyped one is corrected',
  inProject(
    chain,
    (program) => {
      const nothing = program.say('run --quiet')
      assert.is(nothing.code, 1)
      assert.match(nothing.stderr, /name what to run[\s\S]*pipelines: ci[\s\S]*tasks: bundle, gen, test/)
      assert.match(program.say('run tets').stderr, 'did you mean `test`?')
    },
    { pipelines: { ci: ['test'] } },
  ),
)

test(
  '--continue runs what does not depend on a failure; without it nothing new starts',
  inProject(
    {
      bad: { command: 'exit 3', inputs: [] },
      after: { command: 'echo after >> ran', inputs: [], needs: ['bad'] },
      other: { command: 'echo other >> ran', inputs: [], pool: 'one', after: [] },
    },
    (program) => {
      const { code, all } = program.say('run after other --continue')
      assert.is(code, 2)
      assert.match(all, 'exit')
      assert.is(program.read('ran'), 'other\n')
    },
    { pools: { one: 1 } },
  ),
)

test(
  'retries, timeouts and pools',
  inProject(
    {
      flaky: { command: 'echo x >> tries; test $(wc -l < tries) -ge 3', inputs: [], retries: 2 },
      hangs: { command: 'sleep 60', inputs: [], timeout: '1s' },
      one: { command: 'mkdir alone && sleep 0.1 && rmdir alone', inputs: [], pool: 'db' },
      two: { command: 'mkdir alone && sleep 0.1 && rmdir alone', inputs: [], pool: 'db' },
    },
    (program) => {
      assert.equal(program.ran('flaky'), ['flaky'])
      assert.is(program.read('tries'), 'x\nx\nx\n')
      const { code, all } = program.say('run hangs')
      assert.is(code, 2)
      assert.match(all, /1 ?s/)
      assert.equal(program.ran('one two -j 4'), ['one', 'two'])
    },
    { pools: { db: 1 } },
  ),
)

const planted = ['s3cr3t-of-the-process-1', 's3cr3t-in-a-declared-variable-2', 's3cr3t-by-name-3'] as const

test(
  "a secret's value is nowhere: not in .stagecraft, what it prints, its reports or its pages",
  inProject(
    {
      leak: {
        command: 'echo "$TOKEN"; echo "token=$TOKEN" >&2; mkdir -p out; printf %s "$TOKEN" | wc -c > out/n; test -n "$NAMED"',
        inputs: ['src/**'],
        outputs: ['out/**'],
        env: ['NAMED'],
        secrets: ['TOKEN'],
      },
      fails: { command: 'echo "$TOKEN"; exit 4', inputs: [], secrets: ['TOKEN'] },
    },
    (program) => {
      program.write('src/a', 'A')
      const env = { OTHER: planted[0], NAMED: planted[1], TOKEN: planted[2] }
      const said = [
        'run leak --verbose --output full --trace trace.json --summary summary.json',
        'run leak --output full --explain',
        'run leak --force --format json',
        'run fails --verbose --summary failed.json',
        'explain leak --verbose',
        'explain leak --format json',
        'plan --format json',
        'graph --format html --out graph.html',
        'graph --format json --state',
        'cache status',
      ].map((words) => program.say(words, env).all)
      assert.match(said[0] ?? '', '***', 'the command did print it')
      const kept = program.files().filter((path) => !['stagecraft.yml', 'src/a', 'out/n'].includes(path))
      assert.ok(
        kept.includes('trace.json') && kept.includes('graph.html') && kept.some((path) => path.startsWith('.stagecraft/cache')),
        kept.join('\n'),
      )
      for (const secret of planted) {
        assert.not.ok(
          said.some((text) => text.includes(secret)),
          `${secret} was printed`,
        )
        assert.equal(
          kept.filter((path) => program.read(path).includes(secret)),
          [],
        )
      }
      assert.match(program.say('explain leak', { ...env, TOKEN: 'another' }).stdout, /changed +secret TOKEN/)
    },
  ),
)

test(
  'with git or without it, and with git broken, the same happens',
  inProject({ bundle: join_ }, (program) => {
    program.write('src/a', 'A')
    assert.equal(program.ran('bundle'), ['bundle'])
    execFileSync('git', ['init', '-q', program.directory])
    assert.ok(program.isUpToDate('bundle'))
    program.write('.git/index', 'damaged')
    program.write('src/a', 'B')
    assert.equal(program.ran('bundle'), ['bundle'])
  }),
)

test(
  'in a folder below, it says where the manifest is',
  inProject({ bundle: join_ }, (program) => {
    program.write('packages/api/x', '')
    const below = new PublishedProgram(program.path('packages/api'), {})
    below.remove('stagecraft.yml')
    assert.match(below.say('run bundle').stderr, 'there is one in `../..`: run it there, or with `--config ../../stagecraft.yml`')
    assert.is(below.say('run bundle --config ../../stagecraft.yml --dry-run').code, 0)
  }),
)

test.run()
