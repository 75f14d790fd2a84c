/** Compose's `build` section (https://github.com/compose-spec/compose-spec/blob/main/build.md) as a recipe of ours. */
import type { Json, JsonObject } from '../../graph/types.ts'
import type { ImageBuild } from '../contracts.ts'
import { mapOfText } from './compose-normal.ts'
import { problem, warning } from './diagnostic.ts'
import { interpolate } from './interpolate.ts'
import { isList, isObject, type JsonPath, pathText, valueAt } from './json-path.ts'
import { projectPath } from './project-path.ts'
import { composeFolder, type Setting } from './setting.ts'

/** Keys that change what is built, and that we cannot do. */
const refused = ['dockerfile_inline', 'entitlements', 'extra_hosts', 'isolation', 'network', 'privileged', 'shm_size', 'ulimits']
/** Keys that do not change what is built; another part of us decides on them. */
const unused = ['no_cache', 'provenance', 'pull', 'sbom', 'tags']

type Recipe = Omit<ImageBuild, 'repository'>

export function composeRecipe(name: string, build: JsonObject, definition: JsonObject, setting: Setting): Recipe | undefined {
  const at: JsonPath = ['services', name, 'build']
  reportKeys(build, at, setting)
  const folder = composeFolder(setting)
  const given = typeof build['context'] === 'string' ? filled(build['context'], [...at, 'context'], setting) : '.'
  const context = localPath(given, folder, [...at, 'context'], setting)
  if (context === undefined) return undefined
  const file = typeof build['dockerfile'] === 'string' ? filled(build['dockerfile'], [...at, 'dockerfile'], setting) : 'Dockerfile'
  const dockerfile = localPath(file, context, [...at, 'dockerfile'], setting)
  if (dockerfile === undefined) return undefined
  const target = build['target']
  const filledList = (key: string) => textList(build[key]).map((text, index) => filled(text, [...at, key, index], setting))
  const platforms = filledList('platforms')
  const platform = definition['platform']
  return {
    context,
    dockerfile,
    ...(typeof target === 'string' && { target: filled(target, [...at, 'target'], setting) }),
    args: fromOutside(mapOfText(build['args'])),
    platforms:
      platforms.length === 0 && typeof platform === 'string' ? [filled(platform, ['services', name, 'platform'], setting)] : platforms,
    secrets: buildSecrets(build['secrets'], [...at, 'secrets'], setting),
    ssh: Object.entries(mapOfText(build['ssh'])).map(([id, path]) => (path === null || path === '' ? id : `${id}=${path}`)),
    additionalContexts: additionalContexts(build['additional_contexts'], folder, [...at, 'additional_contexts'], setting),
    cacheFrom: filledList('cache_from'),
    ...(build['cache_to'] !== undefined && { cacheTo: filledList('cache_to') }),
    labels: fromOutside(mapOfText(build['labels'])),
  }
}

function reportKeys(build: JsonObject, at: JsonPath, { compose, report }: Setting): void {
  for (const key of refused.filter((refusedKey) => Object.hasOwn(build, refusedKey))) {
    const path = [...at, key]
    report(problem('SC1012', `\`${pathText(path)}\` is not supported by this version`, compose.locateKey(path)))
  }
  for (const key of unused.filter((unusedKey) => Object.hasOwn(build, unusedKey))) {
    const path = [...at, key]
    report(warning('SC1063', `\`${pathText(path)}\` is not used`, compose.locateKey(path)))
  }
}

/** What a build is made from must be known before it. */
function filled(text: string, at: JsonPath, { variables, environmentName, compose, report }: Setting): string {
  const { text: value, missing } = interpolate(text, variables)
  if (missing.length > 0) {
    const notes = [{ message: `set it in \`environments.${environmentName}.variables\`` }]
    report(problem('SC1096', `\`${pathText(at)}\` needs \`${missing[0]}\`, which has no value`, compose.locate(at), { notes }))
  }
  return value
}

function localPath(path: string, from: string, at: JsonPath, { compose, report }: Setting): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:\/\/|^git@|^github\.com\//.test(path)) {
    report(
      problem('SC1012', `\`${pathText(at)}: ${path}\` is not supported by this version: it is not on this machine`, compose.locate(at)),
    )
    return undefined
  }
  const local = projectPath(path, from)
  if (local === undefined) report(problem('SC1036', `\`${pathText(at)}\` is outside the project`, compose.locate(at)))
  return local
}

/** A name alone takes its value from the variable of that name, as Compose has it. */
function fromOutside(values: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, value ?? `\${${key}}`]))
}

function textList(value: Json | undefined): string[] {
  return isList(value) ? value.map(String) : []
}

function additionalContexts(value: Json | undefined, folder: string, at: JsonPath, setting: Setting): Record<string, string> {
  const entries = Object.entries(mapOfText(value)).flatMap(([name, source]): [string, string][] => {
    const text = source ?? ''
    if (text.startsWith('docker-image://')) return [[name, text]]
    if (text.startsWith('service:') || text.startsWith('oci-layout://')) {
      const path = [...at, name]
      const message = `\`${pathText(path)}: ${text}\` is not supported by this version`
      setting.report(problem('SC1012', message, setting.compose.locate(path)))
      return []
    }
    const local = localPath(text, folder, [...at, name], setting)
    return local === undefined ? [] : [[name, local]]
  })
  return Object.fromEntries(entries)
}

/** Each names one of the file's top-level `secrets`. */
function buildSecrets(value: Json | undefined, at: JsonPath, setting: Setting): ImageBuild['secrets'] {
  if (!isList(value)) return {}
  const entries = value.flatMap((given, index): [string, ImageBuild['secrets'][string]][] => {
    const source = isObject(given) ? String(given['source'] ?? '') : String(given)
    const id = isObject(given) && typeof given['target'] === 'string' ? given['target'] : source
    const found = secretSource(source, setting)
    if (found) return [[id, found]]
    const message = `build secret \`${source}\` has neither \`environment\` nor \`file\` in the top-level \`secrets\``
    setting.report(problem('SC1037', message, setting.compose.locate([...at, index])))
    return []
  })
  return Object.fromEntries(entries)
}

function secretSource(name: string, setting: Setting): ImageBuild['secrets'][string] | undefined {
  const environment = valueAt(setting.compose.topLevel, ['secrets', name, 'environment'])
  const file = valueAt(setting.compose.topLevel, ['secrets', name, 'file'])
  if (typeof environment === 'string') return { environment }
  if (typeof file !== 'string') return undefined
  return { file: projectPath(file, composeFolder(setting)) ?? file }
}
