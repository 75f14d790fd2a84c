/** All rules of a repository together. Pure: no file is read and no clock asked. */
import { exitCodeViolations, flagViolations } from './command-rules.ts'
import { dependencyViolations } from './dependency-rules.ts'
import { claimViolations, entryViolations } from './feature-rules.ts'
import { pagesOf } from './page.ts'
import { pageViolations } from './page-rules.ts'
import { recordViolations } from './record-rules.ts'
import { readRegister, registerPath } from './register.ts'
import type { Repository } from './repository.ts'
import { inOrder, type Violation } from './violation.ts'

export interface CheckedFeature {
  readonly id: string
  readonly status: string
  /** Relative to the repository. */
  readonly spec_path?: string
  readonly test_files: readonly string[]
}

/** The result, as `--format json` prints it. */
export interface GovernanceReport {
  /** Sorted by id. */
  readonly features: readonly CheckedFeature[]
  /** Sorted by code, feature, path and line. */
  readonly violations: readonly Violation[]
}

export function checkRepository(repository: Repository): GovernanceReport {
  const register = readRegister(repository.files.get(registerPath))
  const pages = pagesOf(repository)
  const { program } = repository
  const aboutFeatures = [
    ...entryViolations(register),
    ...claimViolations(register, repository),
    ...dependencyViolations(register),
    ...pageViolations(register, pages),
    ...exitCodeViolations(register, pages, program?.exitCodes),
    ...(program === undefined ? [] : flagViolations(register, pages, program)),
  ]
  const features = register.features.map(({ id, status, spec, tests }) => ({
    id,
    status: String(status),
    ...(spec === undefined ? {} : { spec_path: `spec/${spec}` }),
    test_files: tests,
  }))
  // A register that cannot be read would make an orphan of every page.
  const isRead = register.violations.every(({ code }) => code !== 'INVALID_REGISTER')
  return {
    features: features.sort((a, b) => (a.id < b.id ? -1 : 1)),
    violations: inOrder([...register.violations, ...(isRead ? aboutFeatures : []), ...recordViolations(repository)]),
  }
}
