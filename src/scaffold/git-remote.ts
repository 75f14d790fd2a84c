/** Container registries that code hosts run beside their repositories. */
const registries: Readonly<Record<string, string>> = { 'github.com': 'ghcr.io', 'gitlab.com': 'registry.gitlab.com' }

/** Lower-case path components of a registry reference (https://github.com/distribution/reference). */
const component = /^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*$/

/** URL of the remote `origin` in the text of a `.git/config`. */
export function originUrl(gitConfig: string): string | undefined {
  const section = /^\s*\[remote "origin"\]\s*$([^[]*)/m.exec(gitConfig)?.[1]
  return section && /^\s*url\s*=\s*(\S+)\s*$/m.exec(section)?.[1]
}

/** Where images of a repository are usually pushed; undefined for hosts we do not know. Credentials in the URL are dropped. */
export function registryOf(url: string): string | undefined {
  const match = /^(?:\w+:\/\/)?(?:[^@/]*@)?([^/:]+)(?::\d+)?[:/](.+?)(?:\.git)?\/?$/.exec(url)
  const registry = registries[match?.[1]?.toLowerCase() ?? '']
  const path = match?.[2]?.toLowerCase().split('/') ?? []
  return registry && path.length >= 2 && path.every((part) => component.test(part)) ? [registry, ...path].join('/') : undefined
}
