/** Image references: `[domain/]path[:tag][@digest]` (https://github.com/distribution/reference). */

const repositoryForm =
  /^(?:[A-Za-z0-9]+(?:[.-]+[A-Za-z0-9]+)*(?::[0-9]+)?\/)?[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*$/

/** The reference without tag and digest. */
export function repositoryOf(reference: string): string {
  const name = reference.replace(/@.*$/, '')
  const lastPart = name.lastIndexOf('/') + 1
  const colon = name.indexOf(':', lastPart)
  return colon === -1 ? name : name.slice(0, colon)
}

/** Can it be a repository's name? */
export function isRepository(text: string): boolean {
  return repositoryForm.test(text)
}
