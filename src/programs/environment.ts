import type { Environment } from '../../tasks/ports.ts'

/** Variables of a process environment, which does not change, by name or glob (`*` matches any run of characters). */
export function processEnvironment(env: Readonly<Record<string, string | undefined>>): Environment {
  /** By glob: the same few are asked for by every task. */
  const names = new Map<string, readonly string[]>()
  const named = (pattern: string): readonly string[] => {
    const known = names.get(pattern) ?? (pattern.includes('*') ? namesLike(pattern, env) : [pattern])
    names.set(pattern, known)
    return known
  }
  return {
    matching(patterns) {
      const found: Record<string, string> = {}
      for (const pattern of patterns) {
        for (const name of named(pattern)) {
          const value = env[name]
          if (value !== undefined) found[name] = value
        }
      }
      return found
    },
  }
}

function namesLike(pattern: string, env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const form = new RegExp(`^${pattern.split('*').map(escaped).join('.*')}$`)
  return Object.keys(env)
    .filter((name) => form.test(name))
    .sort()
}

function escaped(text: string): string {
  return text.replace(/[.+^${}()|[\]\\?]/g, '\\$&')
}
