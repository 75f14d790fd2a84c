/** A task runner as its users start it, and how the same work is written for it. */
import type { Program } from '../measure.ts'
import type { Workload } from './workload.ts'

export interface Runner {
  readonly name: string
  /** Writes what the runner reads into a folder that holds the inputs. */
  write(directory: string, work: Workload): void
  /** Runs everything. */
  program(directory: string): Program
  /** Absolute paths of all that it keeps and goes by the next time, outputs of tasks excepted. Those that are there. */
  remembers(directory: string): readonly string[]
  /** Largest graph it is asked to run: the slow ones would take minutes. */
  readonly mostTasks: number
}
