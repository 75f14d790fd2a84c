import { homedir } from 'node:os'
import { z } from 'zod'
import { type App, type ExitCode, exitCodes, type GlobalOptions, InputError, programCode } from '../contracts.ts'
import { inheritSsh, prefixedSsh } from '../operations/ssh/run-ssh.ts'
import { printable, sshCommand } from '../operations/ssh/ssh-command.ts'
import { hostsCalled } from '../operations/ssh/ssh-hosts.ts'
import { sshTarget } from '../operations/ssh/ssh-target.ts'
import { checkedValue } from '../session/checked-value.ts'
import { openDeployment } from '../session/open-deployment.ts'

export const summary = 'open a shell on a host, or run a program there'
export const feature = 'CLI_SSH'
const positionals = z.strictObject({
  host: z.string().describe('name of a host, or a role: then its first host by name'),
  command: z.array(z.string()).default([]).describe('the program and its arguments, after `--`'),
})

export { positionals as arguments }
export const options = z.strictObject({
  user: z.string().optional().describe('log in as this user'),
  all: z.boolean().default(false).describe('run the program on every host of the role'),
  print: z.boolean().default(false).describe('print the command line and run nothing'),
})
export const examples = [
  'stagecraft ssh node-1 --env prod',
  'stagecraft ssh app --env prod --all -- uptime',
  'stagecraft ssh node-1 --print',
]

/** @returns ssh's exit code, which is the program's; 2 where ssh itself failed. @throws InputError for an unknown host or role. */
export async function run(
  input: z.infer<typeof positionals> & z.infer<typeof options>,
  globals: GlobalOptions,
  app: App,
): Promise<ExitCode> {
  const { deployment, directory } = await openDeployment(globals, app)
  const hosts = checkedValue(hostsCalled(input.host, deployment.hosts))
  if (input.all && input.command.length === 0)
    throw new InputError([{ code: 'SC3170', severity: 'error', message: '`--all` needs a program to run: a shell is opened on one host' }])
  const sources = { projectDirectory: directory, homeDirectory: app.env['HOME'] ?? homedir() }
  const chosen = input.all ? hosts : hosts.slice(0, 1)
  const calls = chosen.map((host) => ({
    name: host.name,
    argv: sshCommand(sshTarget(host, deployment, sources, input.user ?? host.user), input.command),
  }))
  if (input.print) {
    app.stdout.write(calls.map(({ argv }) => `${printable(argv)}\n`).join(''))
    return exitCodes.done
  }
  const [first] = calls
  if (!input.all && first !== undefined) return programCode(await inheritSsh(first.argv, app))
  const width = Math.max(...calls.map(({ name }) => name.length))
  const codes = await Promise.all(calls.map(({ name, argv }) => prefixedSsh(argv, `${name.padEnd(width)} | `, app)))
  return programCode(Math.max(...codes))
}
