/** Rules of `tasks`, `pools` and `pipelines`: one breach each, the whole message and its place. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseConfig } from '../../../src/config/load.ts'
import { aboutConfig, accepted } from './told.ts'

const test = suite('config/task-rules')

const project = 'project: {name: shop}\n'
const task = (rest: string) => `${project}tasks: {a: {command: x, ${rest}}}\n`
const builtIn = 'built in are `build`, `deploy`, `migrate`, `push`, `render`; say what it is about, such as `build-app`'
const pools = 'built in are `database`, `default`, `docker`, `host`, `registry`'

/** The manifest of the issue, with what it leaves to the reader. */
const whole = `
project: { name: shop }
tasks:
  install: { command: npm ci, outputs: [node_modules/.package-lock.json], inputs: [package-lock.json] }
  lint: { command: [npm, run, lint], inputs: ["**/*.ts", "!packages/api/src/generated/**"] }
  codegen:
    command: [node, scripts/codegen.mjs]
    cwd: packages/api
    inputs: ["schema/**", "!schema/tmp/**", "../../package-lock.json"]
    outputs: ["src/generated/**"]
    env: [NODE_ENV, "API_*"]
    pass_env: [HOME]
    tools: [["node", "--version"]]
    needs: [install]
    after: [lint]
    cache: true
    timeout: 10m
    retries: 2
    pool: db
  api:
    command: [node, server.mjs]
    service: {ready: {http: "http://127.0.0.1:4000/health", tcp: "127.0.0.1:4000", line: "listening on \\\\d+", command: [curl, "-f", x], timeout: 90s}}
  test: { command: [npm, test], needs: [codegen, api], inputs: ["packages/**"] }
pools: { db: 1, docker: 2 }
services: { api: { needs: [codegen] } }
pipelines:
  ci: [lint, test, build]
  release: { targets: [ci, deploy], env: prod }
  deploy: { needs: [ci] }
environments: { prod: { hosts: [h] } }
`

test('the manifest of the guide is accepted, and nothing in it is filled in from the environment', () => {
  const { config } = accepted(parseConfig(whole, '/project/stagecraft.yml'))
  assert.equal(config.pools, { db: 1, docker: 2 })
  assert.equal(config.pipelines['ci'], { targets: ['lint', 'test', 'build'], needs: [] })
  assert.equal(config.tasks['codegen']?.retries, 2)
  assert.equal(config.tasks['install']?.command, 'npm ci')
  const dollar = accepted(parseConfig(task('env: [], variables: {V: "${HOME}"}'), '/project/stagecraft.yml'))
  assert.is(dollar.config.tasks['a']?.variables['V'], '${HOME}')
})

const cases: readonly (readonly [text: string, expected: readonly string[]])[] = [
  // --- shape
  [task('inputs: a'), ['2:33 SC1009 expected a list in tasks.a.inputs, found `a` → ["a"]']],
  [task('tools: node --version'), ['2:32 SC1009 expected a list in tasks.a.tools, found `node --version` → [["node", "--version"]]']],
  [task('tools: [node --version]'), ['2:33 SC1009 expected a list in tasks.a.tools[0], found `node --version` → ["node", "--version"]']],
  [
    task('env: {A: b}'),
    [
      '2:25 SC1009 expected a list in tasks.a.env, found a map | `env` names variables that are passed on; those with values go into `variables`',
    ],
  ],
  [task('input: [a]'), ['2:25 SC1003 unknown key `input` in tasks.a → inputs']],
  // --- words of other task runners
  [`${project}tasks: {a: {cmd: x}}\n`, ['2:13 SC1003 unknown key `cmd` in tasks.a → command']],
  [task('dependsOn: []'), ['2:25 SC1003 unknown key `dependsOn` in tasks.a → needs']],
  [task('depends_on: []'), ['2:25 SC1003 unknown key `depends_on` in tasks.a → needs']],
  [task('dir: x'), ['2:25 SC1003 unknown key `dir` in tasks.a → cwd']],
  [task('sources: []'), ['2:25 SC1003 unknown key `sources` in tasks.a → inputs']],
  [task('generates: []'), ['2:25 SC1003 unknown key `generates` in tasks.a → outputs']],
  [task('concurrency: 1'), ['2:25 SC1003 unknown key `concurrency` in tasks.a → pool']],
  [task('persistent: true'), ['2:25 SC1003 unknown key `persistent` in tasks.a → service']],
  [task('desc: x'), ['2:25 SC1003 unknown key `desc` in tasks.a']],
  [`${project}scripts: {a: x}\n`, ['2:1 SC1003 unknown key `scripts` → tasks']],
  [
    task('needs: ["^a"]'),
    [
      '2:33 SC1101 no task, pipeline or built-in target is called `^a` | there are no packages that tasks could be looked for in: name each task that comes first',
    ],
  ],
  [`${project}tasks: {a: {}}\n`, ['2:9 SC1010 `tasks.a.command` is required']],
  [`${project}tasks: {a: {command: []}}\n`, ['2:13 SC1011 expected at least 1 entry in tasks.a.command, found an empty list']],
  [
    `${project}tasks: {"a b": {command: x}}\n`,
    ['2:9 SC1011 expected letters, digits, `.`, `_`, `/` and `-`, beginning with a letter or digit in tasks, found `a b`'],
  ],
  [task('timeout: 10 minutes'), ['2:34 SC1011 expected a duration such as `90s`, `10m` or `1h30m` in tasks.a.timeout, found `10 minutes`']],
  [task('timeout: 0s'), ['2:34 SC1011 expected a duration such as `90s`, `10m` or `1h30m` in tasks.a.timeout, found `0s`']],
  [task('timeout: 30d'), ['2:34 SC1011 expected at most `7d` in tasks.a.timeout, found `30d`']],
  [task('retries: 11'), ['2:34 SC1011 expected at most 10 in tasks.a.retries, found `11`']],
  [task('retries: -1'), ['2:34 SC1011 expected at least 0 in tasks.a.retries, found `-1`']],
  [task('env: ["A B"]'), ['2:31 SC1011 expected the name of a variable, or a glob such as `API_*` in tasks.a.env[0], found `A B`']],
  [
    task('service: {ready: {}}'),
    ['2:35 SC1011 expected one of `http`, `tcp`, `line` and `command` in tasks.a.service.ready, found an empty map'],
  ],
  [task('service: {ready: {line: "("}}'), ['2:49 SC1011 expected a regular expression in tasks.a.service.ready.line, found `(`']],
  [task('inputs: ["src/**/../x"]'), ['2:34 SC1011 expected `..` only at the beginning in tasks.a.inputs[0], found `src/**/../x`']],
  [task('inputs: ["!"]'), ['2:34 SC1011 expected a pattern after `!` in tasks.a.inputs[0], found `!`']],
  [`${project}pools: {db: 0}\n`, ['2:13 SC1011 expected at least 1 in pools.db, found `0`']],
  // --- files
  [task('inputs: [../x]'), ["2:34 SC1103 `../x` is outside the project: expected a path in the manifest's folder"]],
  [
    task('cwd: a/b, outputs: ["../../../x"]'),
    ["2:45 SC1103 `../../../x` is outside the project: expected a path in the manifest's folder | it is relative to `cwd`, `a/b`"],
  ],
  [task('cwd: a/b, inputs: ["../../x", "!../../y"]'), []],
  [task('inputs: [x, "!../y"]'), ["2:37 SC1103 `!../y` is outside the project: expected a path in the manifest's folder"]],
  [task('inputs: [/etc/passwd]'), ["2:34 SC1103 `/etc/passwd` is outside the project: expected a path in the manifest's folder"]],
  [task('cwd: ..'), ['2:30 SC1011 expected a path inside the project in tasks.a.cwd, found `".."`']],
  [
    task('outputs: ["**"]'),
    [
      '2:35 SC1103 `**` covers `stagecraft.yml`, which is no output of a task | what a task writes is removed before it runs, and put back from the cache',
    ],
  ],
  [task('inputs: ["!x"]'), ['2:25 SC1103 `inputs` only takes files away: expected a pattern of what it reads']],
  // --- pools
  [task('pool: db'), [`2:31 SC1104 there is no pool \`db\` | declare it: \`pools: {db: 1}\` | ${pools}`]],
  [`${task('pool: bd')}pools: {db: 1}\n`, [`2:31 SC1104 there is no pool \`bd\` | \`pools\` has \`db\` | ${pools}`]],
  [task('pool: docker'), []],
  // --- services
  [
    task('service: {ready: {tcp: "h:1"}}, outputs: [x], cache: false, retries: 1'),
    [
      '2:57 SC1105 `a` is a service, which has no `outputs` | make the files in a task of their own',
      '2:78 SC1105 `a` is a service, which has no `cache` | a service is started whenever something that depends on it runs',
      '2:94 SC1105 `a` is a service, which has no `retries` | a service that ends by itself fails the run',
    ],
  ],
  // --- secrets
  [
    task('secrets: [T, API_X, V], env: [T, "API_*"], variables: {V: a}'),
    [
      '2:55 SC1106 secret `T` is also in `env` | `secrets` passes it on already, compares it by a keyed digest, and strikes it out of every output',
      '2:58 SC1106 secret `API_X` is also covered by `API_*` in `env` | `secrets` passes it on already, compares it by a keyed digest, and strikes it out of every output',
      '2:80 SC1106 secret `V` also has a value in `variables`',
    ],
  ],
  // --- names
  [
    `${project}tasks: {build: {command: x}}\nenvironments: {prod: {}}\n`,
    [`2:9 SC1100 a task cannot be called \`build\`: with environments, that is a built-in target | ${builtIn}`],
  ],
  [`${project}tasks: {build: {command: x}, deploy: {command: y, needs: [build]}}\n`, []],
  [`${task('')}pipelines: {a: [a]}\n`, ['3:13 SC1100 `a` is a task and a pipeline | the task is here']],
  [task('needs: [b, "build:api", deploy]'), ['2:33 SC1101 no task, pipeline or built-in target is called `b`']],
  [`${project}tasks: {test: {command: x, after: [tset]}}\n`, ['2:36 SC1101 no task, pipeline or built-in target is called `tset` → test']],
  [task('needs: ["exec:b"]'), ['2:33 SC1101 no task, pipeline or built-in target is called `exec:b`']],
  [`${task('')}pipelines: {ci: [a, bulid]}\n`, ['3:21 SC1101 no task, pipeline or built-in target is called `bulid` → build']],
  [`${task('')}pipelines: {ci: {targets: [a, b]}}\n`, ['3:31 SC1101 no task, pipeline or built-in target is called `b`']],
  [`${task('')}services: {api: {needs: [b]}}\n`, ['3:26 SC1101 no task, pipeline or built-in target is called `b`']],
  // --- pipelines
  [
    `${task('')}pipelines: {deploy: [a]}\n`,
    ['3:13 SC1110 `deploy` is a built-in target: its pipeline can only have `needs` | give the pipeline a name of its own'],
  ],
  [`${task('')}pipelines: {deploy: {needs: [a]}, push: {needs: [a]}, migrate: {needs: [a]}}\n`, []],
  [
    `${task('')}pipelines: {build: {needs: [a]}}\n`,
    ['3:13 SC1110 `build` changes nothing outside this machine, so it cannot be told what to wait for | use `services.<name>.needs`'],
  ],
  [
    `${task('')}pipelines: {ci: {targets: [a], needs: [a]}}\n`,
    [
      '3:32 SC1110 pipeline `ci` cannot have `needs` | `needs` is for built-in targets, as in `deploy: {needs: [ci]}`; list targets in their order',
    ],
  ],
  [`${task('')}pipelines: {ci: []}\n`, ['3:13 SC1110 pipeline `ci` has no `targets`']],
  [
    `${task('')}pipelines: {ci: {targets: [a], env: prdo}}\nenvironments: {prod: {}}\n`,
    ['3:37 SC1020 there is no environment `prdo` → prod | there is `prod`'],
  ],
  [
    `${task('')}pipelines: {x: [y], y: [a, x]}\n`,
    ['3:13 SC1102 pipelines contain each other: x → y → x | `x` contains `y` | `y` contains `x`'],
  ],
  // --- who waits for whom
  [task('after: [a]'), ['2:9 SC2003 tasks wait for each other: a → a | `a` waits for `a`']],
  [
    `${task('needs: ["build:api"]')}services: {api: {needs: [a]}}\n`,
    ['3:18 SC2003 tasks wait for each other: build:api → a → build:api | `build:api` waits for `a` | `a` waits for `build:api`'],
  ],
  [
    `${task('needs: [deploy]')}pipelines: {deploy: {needs: [a]}}\n`,
    ['3:13 SC2003 tasks wait for each other: deploy → a → deploy | `deploy` waits for `a` | `a` waits for `deploy`'],
  ],
  [`${task('needs: [build]')}pipelines: {deploy: {needs: [a]}}\n`, []],
]

for (const [text, expected] of cases) {
  test(expected[0] ?? `${text.split('\n').slice(1).join(' ')}: is fine`, () => assert.equal(aboutConfig(text), expected))
}

const hint = (part: string) =>
  `name it in \`secrets\` instead of \`${part}\`, or in \`pass_env\` if a new value should not run the task again`
for (const name of [
  'TOKEN',
  'NPM_TOKEN',
  'DB_PASSWORD',
  'PGPASSWD',
  'SIGNING_PRIVATE_KEY',
  'AWS_CREDENTIALS',
  'SENTRY_DSN',
  'API_KEY',
  'APIKEY',
  'SECRET_*',
]) {
  test(`\`${name}\` looks like a secret`, () => {
    const message = `2:31 SC1107 (warning) \`${name}\` looks like a secret, but what the task prints of it would be shown | ${hint('env')}`
    assert.equal(aboutConfig(task(`env: ["${name}"]`)), [message])
  })
}
for (const name of ['TOKENIZER', 'KEYBOARD', 'NODE_ENV', 'API_*', 'SECRETARY', 'PUBLIC_KEY']) {
  test(`\`${name}\` does not look like a secret`, () => assert.equal(aboutConfig(task(`env: ["${name}"]`)), []))
}
test('a value in the manifest that looks like a secret is warned of; what is only passed on is not', () => {
  assert.equal(aboutConfig(task('variables: {API_TOKEN: x}')).length, 1)
  assert.equal(aboutConfig(task('pass_env: [GITHUB_TOKEN]')), [])
})

test('all that is wrong is told at once', () => {
  const text = `${project}tasks:\n  build: {command: x, pool: p}\n  b: {command: x, needs: [c], inputs: [../x]}\npipelines: {ci: [d]}\nenvironments: {prod: {}}\n`
  assert.equal(
    aboutConfig(text).map((line) => line.split(' ').slice(0, 2).join(' ')),
    ['3:3 SC1100', '3:29 SC1104', '4:27 SC1101', '4:40 SC1103', '5:18 SC1101'],
  )
})

test('a manifest of 20,000 tasks is not taken for an attack', () => {
  const tasks = Array.from({ length: 20_000 }, (_, at) => `  t${at}: {command: x, inputs: [a, b, c]}\n`).join('')
  assert.equal(aboutConfig(`${project}tasks:\n${tasks}`), [])
})

test.run()
