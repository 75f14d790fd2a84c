const commit = /^([0-9a-f]{12})[0-9a-f]{28}(?=$|-dirty$)/

/** A version as a person reads it: a commit by its first twelve digits, anything else as it is. Machines get it whole. */
export function shortVersion(version: string): string {
  return version.replace(commit, '$1')
}
