/** Rules of a single task, beyond its shape. */
import { nearest } from '../../graph/nearest.ts'
import type { Location } from '../../graph/types.ts'
import { builtInPools } from './built-in-names.ts'
import type { LoadedConfig } from './config.ts'
import { problem, type Report, warning } from './diagnostic.ts'
import { covers, filePatterns } from './globs/file-patterns.ts'
import type { JsonPath } from './json-path.ts'
import type { TaskConfig } from './schema/tasks.ts'
import { isInProject, patternInProject } from './task-files.ts'
import { listed } from './word-list.ts'

export function checkTasks(loaded: LoadedConfig, report: Report): void {
  for (const [name, task] of Object.entries(loaded.config.tasks)) {
    checkFiles(name, task, loaded, report)
    checkPool(name, task, loaded, report)
    checkService(name, task, loaded, report)
    checkSecrets(name, task, loaded, report)
  }
}

function checkFiles(name: string, task: TaskConfig, { config, locate }: LoadedConfig, report: Report): void {
  // Task outputs are removed before it runs and when they are put back.
  const untouchable = ['stagecraft.yml', config.project.compose_file, '.git/HEAD', '.stagecraft/releases.json']
  for (const part of ['inputs', 'outputs'] as const) {
    for (const [index, pattern] of (task[part] ?? []).entries()) {
      const location = () => locate(['tasks', name, part, index])
      const path = patternInProject(pattern, task.cwd)
      if (!isInProject(path)) {
        const notes = task.cwd === '.' ? [] : [{ message: `it is relative to \`cwd\`, \`${task.cwd}\`` }]
        report(problem('SC1103', `\`${pattern}\` is outside the project: expected a path in the manifest's folder`, location(), { notes }))
      } else if (part === 'outputs' && !path.startsWith('!')) {
        const covered = untouchable.find((file) => covers(filePatterns([path]), file))
        if (covered === undefined) continue
        const notes = [{ message: 'what a task writes is removed before it runs, and put back from the cache' }]
        report(problem('SC1103', `\`${pattern}\` covers \`${covered}\`, which is no output of a task`, location(), { notes }))
      }
    }
  }
  if (task.inputs && task.inputs.length > 0 && task.inputs.every((pattern) => pattern.startsWith('!'))) {
    report(problem('SC1103', '`inputs` only takes files away: expected a pattern of what it reads', locate(['tasks', name, 'inputs'])))
  }
}

function checkPool(name: string, { pool }: TaskConfig, { config, locate }: LoadedConfig, report: Report): void {
  if (pool === undefined || Object.hasOwn(config.pools, pool) || builtInPools.includes(pool)) return
  const ours = Object.keys(config.pools)
  const notes = [
    { message: ours.length === 0 ? `declare it: \`pools: {${pool}: 1}\`` : `\`pools\` has ${listed(ours)}` },
    { message: `built in are ${listed(builtInPools)}` },
  ]
  const suggestion = nearest(pool, [...ours, ...builtInPools])
  report(problem('SC1104', `there is no pool \`${pool}\``, locate(['tasks', name, 'pool']), { suggestion, notes }))
}

/** What keeps running has no result to keep, and nothing to try again. */
function checkService(name: string, task: TaskConfig, { locate, locateKey }: LoadedConfig, report: Report): void {
  if (task.service === undefined) return
  const refused = [
    ['outputs', task.outputs.length > 0, 'make the files in a task of their own'],
    ['cache', task.cache !== undefined, 'a service is started whenever something that depends on it runs'],
    ['retries', task.retries !== undefined, 'a service that ends by itself fails the run'],
  ] as const
  for (const [key, isGiven, why] of refused) {
    if (!isGiven) continue
    const location = key === 'outputs' ? locateKey(['tasks', name, key]) : locate(['tasks', name, key])
    report(problem('SC1105', `\`${name}\` is a service, which has no \`${key}\``, location, { notes: [{ message: why }] }))
  }
}

function checkSecrets(name: string, task: TaskConfig, { locate, locateKey }: LoadedConfig, report: Report): void {
  for (const part of ['env', 'pass_env'] as const) {
    for (const [index, pattern] of task[part].entries()) {
      const at: JsonPath = ['tasks', name, part, index]
      const secret = task.secrets.find((candidate) => matchesName(pattern, candidate))
      if (secret !== undefined) {
        const how = pattern === secret ? `is also in \`${part}\`` : `is also covered by \`${pattern}\` in \`${part}\``
        const notes = [{ message: '`secrets` passes it on already, compares it by a keyed digest, and strikes it out of every output' }]
        report(problem('SC1106', `secret \`${secret}\` ${how}`, locate(at), { notes }))
      } else if (part === 'env' && looksSecret(pattern)) report(secretLike(pattern, part, locate(at)))
    }
  }
  for (const variable of Object.keys(task.variables)) {
    const at: JsonPath = ['tasks', name, 'variables', variable]
    if (task.secrets.includes(variable)) {
      report(problem('SC1106', `secret \`${variable}\` also has a value in \`variables\``, locateKey(at)))
    } else if (looksSecret(variable)) report(secretLike(variable, 'variables', withoutValue(locateKey(at), task.variables[variable] ?? '')))
  }
}

function secretLike(name: string, part: string, location: ReturnType<LoadedConfig['locate']>) {
  const notes = [
    { message: `name it in \`secrets\` instead of \`${part}\`, or in \`pass_env\` if a new value should not run the task again` },
  ]
  return warning('SC1107', `\`${name}\` looks like a secret, but what the task prints of it would be shown`, location, { notes })
}

/** Words that names of secrets end with or hold, each a part of its own: not `TOKENIZER`. */
const secretWords =
  /(PASSWORDS?|PASSWD|(^|_)(TOKENS?|SECRETS?|PASSPHRASE|CREDENTIALS?|DSN|(PRIVATE|API|ACCESS|SIGNING|ENCRYPTION)_?KEYS?))(_|\*|$)/i

/** The line without a value that more people would read in a log than in the manifest. */
export function withoutValue(location: Location, value: string): Location {
  return value === '' ? location : { ...location, text: location.text.replaceAll(value, '***') }
}

/** Does a variable of this name probably hold one? */
export function looksSecret(name: string): boolean {
  return secretWords.test(name)
}

function matchesName(pattern: string, name: string): boolean {
  return new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(name)
}
