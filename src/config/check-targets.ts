/** Rules of names: what tasks and pipelines are called, whom they name, and that nothing waits for itself. */
import { nearest } from '../../graph/nearest.ts'
import { orderTasks } from '../../graph/order.ts'
import type { Location, Note, Task, TaskId } from '../../graph/types.ts'
import { builtInTargets, outwardTargets } from './built-in-names.ts'
import type { LoadedConfig } from './config.ts'
import { problem, type Report } from './diagnostic.ts'
import type { JsonPath } from './json-path.ts'
import { dependenciesByName } from './target-dependencies.ts'
import { targetOf, targetWords } from './targets.ts'
import { listed } from './word-list.ts'

/** @returns false when names are wrong in a way that makes looking at what they stand for pointless. */
export function checkTargets(loaded: LoadedConfig, report: Report): boolean {
  let isSound = true
  const refuse: Report = (diagnostic) => {
    isSound = false
    report(diagnostic)
  }
  checkNames(loaded, refuse)
  checkBuiltInPipelines(loaded, refuse)
  for (const at of references(loaded)) checkReference(at, loaded, refuse)
  if (isSound) checkCircles(loaded, refuse)
  return isSound
}

function checkNames({ config, locateKey }: LoadedConfig, report: Report): void {
  const names = Object.keys(builtInTargets)
  // Without an environment there is nothing that `build` could mean but the user's own.
  const isTaken = (name: string) => Object.keys(config.environments).length > 0 && names.includes(name)
  for (const name of Object.keys(config.tasks)) {
    if (isTaken(name)) {
      const notes = [{ message: `built in are ${listed(names)}; say what it is about, such as \`${name}-app\`` }]
      report(
        problem('SC1100', `a task cannot be called \`${name}\`: with environments, that is a built-in target`, locateKey(['tasks', name]), {
          notes,
        }),
      )
    } else if (Object.hasOwn(config.pipelines, name)) {
      const notes = [{ message: 'the task is here', location: locateKey(['tasks', name]) }]
      report(problem('SC1100', `\`${name}\` is a task and a pipeline`, locateKey(['pipelines', name]), { notes }))
    }
  }
}

/** `pipelines.deploy` adds to the built-in target; everything else has a name of its own. */
function checkBuiltInPipelines({ config, locate, locateKey }: LoadedConfig, report: Report): void {
  for (const [name, { targets, env, needs }] of Object.entries(config.pipelines)) {
    const at = locateKey(['pipelines', name])
    if (env !== undefined && !Object.hasOwn(config.environments, env)) {
      const known = Object.keys(config.environments)
      const notes = known.length > 0 ? [{ message: `there is ${listed(known)}` }] : []
      const location = locate(['pipelines', name, 'env'])
      report(problem('SC1020', `there is no environment \`${env}\``, location, { suggestion: nearest(env, known), notes }))
    }
    if (!Object.hasOwn(builtInTargets, name)) {
      if (needs.length > 0) {
        const notes = [{ message: '`needs` is for built-in targets, as in `deploy: {needs: [ci]}`; list targets in their order' }]
        report(problem('SC1110', `pipeline \`${name}\` cannot have \`needs\``, locateKey(['pipelines', name, 'needs']), { notes }))
      } else if (targets.length === 0) report(problem('SC1110', `pipeline \`${name}\` has no \`targets\``, at))
      continue
    }
    if (targets.length > 0 || env !== undefined) {
      const notes = [{ message: 'give the pipeline a name of its own' }]
      report(problem('SC1110', `\`${name}\` is a built-in target: its pipeline can only have \`needs\``, at, { notes }))
    } else if (!outwardTargets.includes(name)) {
      const notes = [{ message: name === 'build' ? 'use `services.<name>.needs`' : `there is ${listed(outwardTargets)}` }]
      report(problem('SC1110', `\`${name}\` changes nothing outside this machine, so it cannot be told what to wait for`, at, { notes }))
    }
  }
}

/** Places where a word stands for tasks. */
function* references({ config }: LoadedConfig): Generator<readonly [word: string, at: JsonPath]> {
  for (const [name, { needs, after }] of Object.entries(config.tasks)) {
    for (const [index, word] of needs.entries()) yield [word, ['tasks', name, 'needs', index]]
    for (const [index, word] of after.entries()) yield [word, ['tasks', name, 'after', index]]
  }
  for (const [name, { targets, needs }] of Object.entries(config.pipelines)) {
    for (const [index, word] of targets.entries()) {
      yield [word, ['pipelines', name, 'targets', index]]
    }
    for (const [index, word] of needs.entries()) yield [word, ['pipelines', name, 'needs', index]]
  }
  for (const [name, { needs }] of Object.entries(config.services)) {
    for (const [index, word] of needs.entries()) yield [word, ['services', name, 'needs', index]]
  }
}

function checkReference([word, at]: readonly [string, JsonPath], loaded: LoadedConfig, report: Report): void {
  if (targetOf(word, loaded.config)) return
  const suggestion = nearest(word.replace(/^\^/, ''), targetWords(loaded.config))
  const message = `no task, pipeline or built-in target is called \`${word}\``
  const notes = word.startsWith('^')
    ? [{ message: 'there are no packages that tasks could be looked for in: name each task that comes first' }]
    : []
  report(problem('SC1101', message, placeOf(at, loaded), { suggestion, notes }))
}

/** A pipeline may be written as a bare list. */
function placeOf(at: JsonPath, { locate }: LoadedConfig): Location {
  const [part, name = '', key, index = 0] = at
  if (part !== 'pipelines' || key !== 'targets') return locate(at)
  const inList = locate(['pipelines', name, index])
  const inMap = locate(at)
  // What is not there is located at the nearest thing around it: the longer path is the one that exists.
  return inMap.line > inList.line || (inMap.line === inList.line && inMap.column > inList.column) ? inMap : inList
}

function checkCircles({ config, locate, locateKey }: LoadedConfig, report: Report): void {
  const nodes = dependenciesByName(config)
  const tasks = new Map<TaskId, Task>()
  for (const [id, after] of nodes)
    tasks.set(id as TaskId, { id: id as TaskId, kind: '', params: null, needs: [], after: after as TaskId[] })
  for (const cycle of orderTasks(tasks).cycles ?? []) {
    const shown = cycle.map((id) => id.replace(/^(exec|pipeline):/, ''))
    const arePipelines = cycle.every((id) => id.startsWith('pipeline:'))
    const message = `${arePipelines ? 'pipelines contain each other' : 'tasks wait for each other'}: ${[...shown, shown[0]].join(' → ')}`
    const notes = cycle.map((id, index): Note => {
      const next = shown[(index + 1) % shown.length] ?? ''
      const location = originOf(id)
      return { message: `\`${shown[index]}\` ${wordFor(id)} \`${next}\``, ...(location && { location }) }
    })
    const first = cycle.map(originOf).find((location) => location !== undefined) ?? locate([])
    report(problem(arePipelines ? 'SC1102' : 'SC2003', message, first, { notes }))
  }

  function originOf(id: string): Location | undefined {
    const [kind = '', name = ''] = split(id)
    if (kind === 'exec') return locateKey(['tasks', name])
    if (kind === 'pipeline') return locateKey(['pipelines', name])
    if (kind === 'build' && Object.hasOwn(config.services, name)) return locateKey(['services', name, 'needs'])
    return Object.hasOwn(config.pipelines, id) ? locateKey(['pipelines', id]) : undefined
  }
}

function wordFor(id: string): string {
  return id.startsWith('pipeline:') || id === 'build' ? 'contains' : 'waits for'
}

function split(id: string): readonly string[] {
  const colon = id.indexOf(':')
  return [id.slice(0, Math.max(0, colon)), id.slice(colon + 1)]
}
