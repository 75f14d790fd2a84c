import type { TaskGraph } from '../../graph/types.ts'
import type { App, GlobalOptions } from '../contracts.ts'
import type { Project } from './open-project.ts'
import type { RunInput } from './run-targets.ts'

export async function affectedGraph(graph: TaskGraph, _p: Project, _i: RunInput, _g: GlobalOptions, _app: App): Promise<TaskGraph> {
  return graph
}
