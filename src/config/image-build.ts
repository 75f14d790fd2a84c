/** How the image of a service is made: exactly what its Compose `build` says, or what a provider block says. */
import type { JsonObject } from '../../graph/types.ts'
import type { ImageBuild } from '../contracts.ts'
import type { ImageRecipe } from '../providers/provider.ts'
import { composeRecipe } from './compose-build.ts'
import { problem } from './diagnostic.ts'
import { isRepository, repositoryOf } from './image-reference.ts'
import { interpolate } from './interpolate.ts'
import { isObject, own } from './json-path.ts'
import { projectPath } from './project-path.ts'
import { type Setting, serviceOrigin } from './setting.ts'

/** Is the image ours to make? The manifest's word goes before the Compose file's. */
export function isBuiltHere(name: string, definition: JsonObject, { loaded }: Setting): boolean {
  const source = own(loaded.config.services, name)?.build
  return source === undefined ? isObject(definition['build']) : source !== 'none'
}

/** Undefined when the image is not ours to make, or when something is wrong with how. */
export function resolveBuild(name: string, definition: JsonObject, setting: Setting): ImageBuild | undefined {
  if (!isBuiltHere(name, definition, setting)) return undefined
  const source = own(setting.loaded.config.services, name)?.build
  const build = definition['build']
  const recipe: Recipe | undefined =
    source === 'backend' || source === 'frontend'
      ? providerRecipe(name, source, setting)
      : composeRecipe(name, isObject(build) ? build : {}, definition, setting)
  const repository = resolveRepository(name, definition, setting, recipe?.imageName)
  if (recipe && recipe.platforms.length > 1 && setting.inventory.hosts.length > 0 && transferOf(setting) === 'ssh') {
    const notes = [{ message: 'keep the one of the hosts, or remove `transfer: ssh`' }]
    const message = `service \`${name}\` is built for ${recipe.platforms.length} platforms, which only a registry can hold together`
    setting.report(problem('SC1097', message, serviceOrigin(setting, name), { notes }))
  }
  if (!recipe || repository === undefined) return undefined
  const { imageName: _, ...made } = recipe
  return { repository, ...made }
}

type Recipe = Omit<ImageBuild, 'repository'> & { readonly imageName?: string }

function providerRecipe(name: string, role: 'backend' | 'frontend', { loaded, report }: Setting): Recipe | undefined {
  const block = loaded.config[role]
  const at = ['services', name, 'build']
  const fail = (message: string) => {
    report(problem('SC1032', message, loaded.locate(at)))
    return undefined
  }
  if (!block) return fail(`service \`${name}\` is built by the ${role}, but there is no \`${role}\` block`)
  const key = `${role}.providers.${block.provider}`
  const recipe: ImageRecipe | undefined = loaded.registries[role].get(block.provider).recipe(block.providers[block.provider])
  if (!recipe) return fail(`service \`${name}\` is built by the ${role}, but \`${key}.build\` is not set`)
  const context = projectPath(recipe.context, '.')
  const dockerfile = projectPath(recipe.dockerfile, context ?? '.')
  if (context === undefined || dockerfile === undefined) {
    const part = context === undefined ? 'context' : 'dockerfile'
    const location = loaded.locate([role, 'providers', block.provider, 'build', part])
    report(problem('SC1036', `\`${key}.build.${part}\` is outside the project`, location))
    return undefined
  }
  const { target, args, labels, platforms, command, makes, imageName, tagSuffix } = recipe
  return {
    ...{ context, dockerfile, args, platforms, labels },
    ...(target !== undefined && { target }),
    ...(command && { command }),
    ...(makes && { makes }),
    ...(imageName !== undefined && { imageName }),
    ...(tagSuffix !== undefined && { tagSuffix }),
    ...{ secrets: {}, ssh: [], additionalContexts: {}, cacheFrom: [] },
  }
}

/** How images that are built here come to hosts. */
export function transferOf({ loaded, environment }: Pick<Setting, 'loaded' | 'environment'>): 'registry' | 'ssh' {
  return environment.transfer ?? loaded.config.project.transfer ?? 'registry'
}

/** What `image` says, else `<registry>/<service>`, else `<project>-<service>` for what no registry ever sees. */
function resolveRepository(name: string, definition: JsonObject, setting: Setting, imageName = name): string | undefined {
  const { loaded, compose, inventory, report, environmentName } = setting
  const { registry, name: project } = loaded.config.project
  const written = definition['image']
  const isPushed = inventory.hosts.length > 0 && transferOf(setting) === 'registry'
  if (typeof written !== 'string') {
    if (isPushed && registry === undefined) {
      const notes = [{ message: 'such as `registry: ghcr.io/acme/shop`; or set `transfer: ssh`, which needs none' }]
      report(
        problem(
          'SC1033',
          `\`project.registry\` is required: service \`${name}\` is built here and runs on hosts`,
          loaded.locate(['project']),
          { notes },
        ),
      )
      return undefined
    }
    const repository = registry === undefined ? `${project}-${imageName}` : `${registry}/${imageName}`
    if (isRepository(repository)) return repository
    const notes = [{ message: 'say it with `image`' }]
    report(problem('SC1034', `\`${repository}\` cannot be the name of an image`, serviceOrigin(setting, name), { notes }))
    return undefined
  }
  const location = compose.locate(['services', name, 'image'])
  const { text, missing } = interpolate(written, setting.variables)
  const repository = repositoryOf(text)
  const unknown = missing.filter((variable) => repository.includes(`\${${variable}}`))
  if (unknown.length > 0) {
    const notes = [{ message: `set it in \`environments.${environmentName}.variables\`` }]
    report(problem('SC1035', `the name of the image needs \`${unknown[0]}\`, which has no value`, location, { notes }))
    return undefined
  }
  if (!isRepository(repository)) {
    report(problem('SC1034', `\`${repository}\` cannot be the name of an image`, location))
    return undefined
  }
  if (isPushed && !repository.includes('/')) {
    const better =
      registry === undefined ? 'name its registry, such as `ghcr.io/acme/shop`' : `remove \`image\` to use \`${registry}/${name}\``
    report(problem('SC1034', `image \`${repository}\` cannot be pushed: it names no registry`, location, { notes: [{ message: better }] }))
    return undefined
  }
  return repository
}
