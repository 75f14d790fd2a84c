import { dirname, resolve } from 'node:path'
import { type App, type ExitCode, exitCodes, type GlobalOptions } from '../../contracts.ts'
import { checkRepository, type GovernanceReport } from '../../gov/check.ts'
import { violationText } from '../../gov/violation.ts'
import { ownProgram } from './own-program.ts'
import { packageName, readRepository } from './read-repository.ts'

/** The package whose commands this program's are. */
const ownPackage = 'stagecraft'

/** Checks the repository at `root`; that of this program against its command table too. @throws TaskFailure when a file cannot be read. */
export async function govern(root: string, app: Pick<App, 'commands'>): Promise<GovernanceReport> {
  const repository = readRepository(root)
  return checkRepository(packageName(root) === ownPackage ? { ...repository, program: await ownProgram(app) } : repository)
}

/** The repository is the folder that the manifest is in, or would be. Warnings alone do not fail. */
export async function checkGovernance(
  { format }: { readonly format: 'text' | 'json' },
  globals: GlobalOptions,
  app: App,
): Promise<ExitCode> {
  const report = await govern(dirname(resolve(app.cwd, globals.config)), app)
  app.stdout.write(format === 'json' ? `${JSON.stringify(report, null, 2)}\n` : reportText(report))
  return report.violations.some(({ severity }) => severity === 'error') ? exitCodes.input : exitCodes.done
}

/** One line for each violation, and one that counts. */
export function reportText({ features, violations }: GovernanceReport): string {
  const lines = violations.map((violation) => `${violationText(violation)}\n`)
  return `${lines.join('')}${counted(features.length, 'feature')}, ${counted(violations.length, 'violation')}\n`
}

function counted(count: number, noun: string): string {
  return `${count === 0 ? 'no' : count} ${noun}${count === 1 ? '' : 's'}`
}
