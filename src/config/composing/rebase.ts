/** The relative paths of one file, seen from the folder of another. */
import { posix } from 'node:path'
import { splitVolume } from '../../../tasks/rendering/local-paths.ts'
import { parseTemplate } from '../../../tasks/rendering/template.ts'
import { changeEach, changeMember, isListNode, isMapNode, memberOf, type Sourced, withValue } from './sourced.ts'

/** Every path of a whole Compose file. `folder` is where they start from, seen from where they are to start from. */
export function rebased(model: Sourced, folder: string): Sourced {
  if (folder === '.') return model
  const fileOf = (resource: Sourced) => changeMember(resource, 'file', (file) => at(file, folder))
  let changed = changeMember(model, 'services', (services) => changeEach(services, (service) => rebasedService(service, folder)))
  for (const section of ['configs', 'secrets']) changed = changeMember(changed, section, (all) => changeEach(all, fileOf))
  const deviceOf = (options: Sourced) => changeMember(options, 'device', (device) => onlyDotted(device, folder))
  return changeMember(changed, 'volumes', (all) => changeEach(all, (volume) => changeMember(volume, 'driver_opts', deviceOf)))
}

/** Every path of one service that Compose takes to be its file's; a seccomp profile it looks for from the main file. */
export function rebasedService(service: Sourced, folder: string): Sourced {
  if (folder === '.') return service
  const files = (given: Sourced) => eachOrOne(given, (entry) => (isMapNode(entry) ? changeMember(entry, 'path', here) : here(entry)))
  const here = (path: Sourced) => at(path, folder)
  const dotted = (path: Sourced) => onlyDotted(path, folder)
  let changed = changeMember(service, 'build', (build) => rebasedBuild(build, folder))
  for (const key of ['env_file', 'label_file']) changed = changeMember(changed, key, files)
  return changeMember(changed, 'volumes', (volumes) =>
    changeEach(volumes, (volume) => {
      if (isMapNode(volume)) return memberOf(volume, 'type')?.value === 'bind' ? changeMember(volume, 'source', here) : volume
      const { source, rest } = splitVolume(String(volume.value))
      return rest === '' ? volume : withValue(volume, `${String(dotted(withValue(volume, source)).value)}${rest}`)
    }),
  )
}

function rebasedBuild(build: Sourced, folder: string): Sourced {
  if (!isMapNode(build)) return at(build, folder)
  const context = memberOf(build, 'context') ?? withValue(build, '.')
  const members = withValue(build, new Map(build.value).set('context', at(context, folder)))
  return changeMember(members, 'additional_contexts', (contexts) => {
    if (!isListNode(contexts)) return changeEach(contexts, (path) => at(path, folder))
    return changeEach(contexts, (entry) => {
      const [, name = '', path = ''] = /^([^=]*=)(.*)$/.exec(String(entry.value)) ?? []
      return withValue(entry, `${name}${String(at(withValue(entry, path), folder).value)}`)
    })
  })
}

function eachOrOne(given: Sourced, change: (entry: Sourced) => Sourced): Sourced {
  return isListNode(given) ? changeEach(given, change) : change(given)
}

/** A word alone is a path here. */
function at(path: Sourced, folder: string): Sourced {
  return typeof path.value === 'string' ? withValue(path, moved(path.value, folder, /^(?!$)/)) : path
}

/** A word alone is the name of something else here. */
function onlyDotted(path: Sourced, folder: string): Sourced {
  return typeof path.value === 'string' ? withValue(path, moved(path.value, folder, /^\.{1,2}(\/|$)/)) : path
}

/**
 * Of a path that begins with a variable only the default is of this file. Its value is the environment's, and starts, as all of the
 * environment's paths do, from the folder of the main file.
 */
function moved(path: string, folder: string, isPath: RegExp): string {
  const [first, ...rest] = parseTemplate(path)
  if (first?.kind === 'variable') {
    const { name, operator, argument, source } = first
    if (operator === undefined || operator.endsWith('?')) return path
    return `\${${name}${operator}${moved(argument, folder, isPath)}}${path.slice(source.length)}`
  }
  if (first?.kind !== 'text' || (rest.length === 0 && !isPath.test(path)) || !isPath.test(first.text) || isElsewhere(first.text))
    return path
  const joined = posix.join(folder, path)
  return /^\.{1,2}(\/|$)/.test(joined) ? joined : `./${joined}`
}

/** On the host, in somebody's home, or not a path of files at all. */
function isElsewhere(text: string): boolean {
  return /^[/~]|^[a-z][a-z0-9+.-]*:\/\/|^git@|^github\.com\/|^(service|target):/.test(text)
}
