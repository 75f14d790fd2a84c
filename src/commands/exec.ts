import { z } from 'zod'
import type { Diagnostic } from '../../graph/types.ts'
import { type App, type ExitCode, type GlobalOptions, InputError } from '../contracts.ts'
import { fleetNote } from '../operations/audit/fleet-note.ts'
import { runOneOff } from '../operations/exec/one-off.ts'
import { type ExecOptions, execOnAll, execOnOne } from '../operations/exec/run-exec.ts'
import { withFleet } from '../operations/fleet.ts'
import { withSignal } from '../operations/patient-app.ts'

export const summary = 'run a program in a container of a service'
export const feature = 'CLI_EXEC'
const positionals = z.strictObject({
  service: z.string().describe('which service'),
  command: z.array(z.string()).default([]).describe('the program and its arguments, after `--`'),
})

export { positionals as arguments }
export const options = z.strictObject({
  host: z.array(z.string()).optional().describe('only these hosts').meta({ value: '<a,b>' }),
  replica: z.number().int().min(1).optional().describe('the container with this number; default the first'),
  all: z.boolean().default(false).describe('in every running container, a prefix on each line'),
  interactive: z.boolean().optional().describe('give it what we read; default on a terminal').meta({ alias: 'i' }),
  terminal: z.boolean().optional().describe('give it a terminal; default where ours is one').meta({ alias: 't' }),
  user: z.string().optional().describe('as this user of the container'),
  workdir: z.string().optional().describe('in this folder of the container').meta({ value: '<path>' }),
  new: z.boolean().default(false).describe('in a new container of the release, removed afterwards'),
})
export const examples = [
  'stagecraft exec api --env prod -- sh',
  'stagecraft exec db -i -- psql -U shop shop < fix.sql',
  'stagecraft exec web --all -- cat /etc/hostname',
  'stagecraft exec api --new -- node scripts/report.js',
]

type Input = z.infer<typeof positionals> & z.infer<typeof options>

/** @returns the program's own exit code. @throws InputError for flags that exclude each other. @throws TaskFailure when no container runs. */
export async function run(input: Input, globals: GlobalOptions, app: App): Promise<ExitCode> {
  const isTerminal = !input.all && app.stdout.isTTY === true && app.stdin.isTTY === true
  const problems = problemsOf(input, isTerminal)
  if (problems.length > 0) throw new InputError(problems)
  const wanted: ExecOptions = {
    service: input.service,
    argv: input.command,
    input: input.interactive ?? isTerminal,
    terminal: input.terminal ?? (isTerminal && input.interactive !== false),
    ...(input.replica !== undefined && { replica: input.replica }),
    ...(input.user !== undefined && { user: input.user }),
    ...(input.workdir !== undefined && { directory: input.workdir }),
  }
  // The interrupt is the program's: the connection that passes it on must not be cut by it.
  const patient = withSignal(app, new AbortController().signal)
  const selection = { host: input.host, service: [input.service] }
  return withFleet(
    selection,
    globals,
    patient,
    async (fleet) => {
      // Told while it runs. Of the program only its name: arguments may be secret.
      const where = input.new ? ' in a new container' : input.all ? ' in every container' : ''
      const noted = fleetNote(fleet, app, [])({ what: `exec ${input.service}`, result: 'begun', detail: `${input.command[0]}${where}` })
      try {
        if (input.new) return await runOneOff(fleet, wanted, app)
        return await (input.all ? execOnAll(fleet, wanted, app) : execOnOne(fleet, wanted, globals, app))
      } finally {
        await noted
      }
    },
    { placed: true, notOnSwarm: 'look where a copy runs with `stagecraft status`, and use `docker exec` on that node' },
  )
}

function problemsOf(input: Input, isTerminal: boolean): Diagnostic[] {
  const problem = (code: Diagnostic['code'], message: string): Diagnostic => ({ code, severity: 'error', message })
  const excluded = (flags: readonly (readonly [string, boolean])[], by: string) =>
    flags.filter(([, given]) => given).map(([flag]) => problem('SC3171', `\`${flag}\` and \`${by}\` exclude each other`))
  const single = [
    ['--interactive', input.interactive === true],
    ['--terminal', input.terminal === true],
    ['--replica', input.replica !== undefined],
  ] as const
  return [
    ...(input.command.length === 0
      ? [problem('SC3170', `what is to be run? Expected: \`stagecraft exec ${input.service} -- program arguments\``)]
      : []),
    ...(input.all ? excluded([...single, ['--new', input.new]], '--all') : []),
    ...(input.new ? excluded([['--replica', input.replica !== undefined]], '--new') : []),
    ...(input.terminal === true && !isTerminal && !input.all
      ? [problem('SC3172', '`--terminal` needs a terminal at both ends: here, input or output is none')]
      : []),
  ]
}
