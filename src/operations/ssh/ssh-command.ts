/** The words of the system's own `ssh` for one of our hosts: ssh(1), ssh_config(5). Pure. */
import { quoteWord } from '../../hosts/shell-quote.ts'

export interface SshTarget {
  readonly address: string
  readonly user?: string
  readonly port?: number
  /** Absolute. */
  readonly identityFile?: string
  /** As for `-J`. */
  readonly jump?: string
  /** Absolute paths. */
  readonly knownHostsFiles: readonly string[]
}

/**
 * Everything else is the user's own configuration and agent. Host keys are verified, whatever that configuration says, against our files.
 * @param argv what to run there; none opens a session.
 * @param terminal `ask` for one also for a program, or have `none`.
 */
export function sshCommand(target: SshTarget, argv: readonly string[], terminal?: 'ask' | 'none'): [string, ...string[]] {
  const files = target.knownHostsFiles.map((path) => `"${tokenless(path)}"`).join(' ')
  return [
    'ssh',
    ...['-o', 'StrictHostKeyChecking=yes'],
    ...(files === '' ? [] : ['-o', `UserKnownHostsFile=${files}`]),
    ...(target.user === undefined ? [] : ['-l', target.user]),
    ...(target.port === undefined ? [] : ['-p', String(target.port)]),
    ...(target.identityFile === undefined ? [] : ['-i', tokenless(target.identityFile)]),
    ...(target.jump === undefined ? [] : ['-J', target.jump]),
    ...(terminal === undefined ? [] : [terminal === 'ask' ? '-t' : '-T']),
    '--',
    target.address,
    // ssh joins what follows with spaces and hands it to a shell there, so each word is quoted for it.
    ...(argv.length === 0 ? [] : [remoteLine(argv)]),
  ]
}

/** One line of POSIX shell that runs exactly these words. @throws RangeError for a NUL. */
export function remoteLine(argv: readonly string[]): string {
  return argv.map(quoteWord).join(' ')
}

/** A command line to copy into a shell of this machine; plain words stay as they are. */
export function printable(argv: readonly string[]): string {
  return argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : quoteWord(word))).join(' ')
}

/** `%h` and its kin mean something to ssh in paths. */
function tokenless(path: string): string {
  return path.replaceAll('%', '%%')
}
