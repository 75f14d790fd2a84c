/** Looks over SFTP in which the absence of a thing is an answer. */
import { isAbsent, type Sftp, SftpError } from './ssh-sftp.ts'
import { sftpStatus } from './ssh-sftp-packet.ts'

/** Undefined where there is no link. A file where a link should be has no target either. */
export async function linkTarget(sftp: Sftp, path: string): Promise<string | undefined> {
  return sftp.readLink(path).catch((error: unknown) => {
    if (error instanceof SftpError && (error.status === sftpStatus.badMessage || error.status === sftpStatus.failure)) return undefined
    return absentIs(undefined)(error)
  })
}

/** For `catch`: what absence counts as. Anything else is thrown on. */
export function absentIs<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (isAbsent(error)) return value
    throw error
  }
}
