/** Suites that need real hosts: each test is skipped, and says why, on a machine where the lab cannot run. */
import { suite, type Test } from 'uvu'
import { type Lab, labObstacle, openLab } from '../lab/lab.ts'

export interface LabSuite {
  readonly test: Test
  /** The lab; call inside a test or a hook. */
  lab(): Lab
  /** Undefined when the lab runs. */
  readonly obstacle: string | undefined
  run(): void
}

/** Brings the lab up (or finds it up) before the first test of the suite. */
export async function labSuite(name: string, hosts = 1): Promise<LabSuite> {
  const obstacle = await labObstacle()
  if (obstacle !== undefined) {
    process.stdout.write(`skipped ${name}: ${obstacle}\n`)
    const skipping = suite(name)
    const hook = Object.assign(() => {}, { each: () => {} })
    const only = Object.assign((title: string) => skipping.skip(title), { before: hook, after: hook }) as unknown as Test
    return { test: only, lab: () => unavailable(obstacle), obstacle, run: () => skipping.run() }
  }
  const opened = await openLab({ hosts })
  const test = suite(name)
  return { test, lab: () => opened, obstacle, run: () => test.run() }
}

function unavailable(obstacle: string): never {
  throw new Error(obstacle)
}
