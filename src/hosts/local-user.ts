import { userInfo } from 'node:os'

/** Who runs this. A container's user often has no entry in its passwd file, which is an error to Node. */
export function localUser(env: Readonly<Record<string, string | undefined>>): string {
  try {
    return userInfo().username
  } catch {
    return env['USER'] || env['LOGNAME'] || `uid ${process.getuid?.() ?? '?'}`
  }
}
