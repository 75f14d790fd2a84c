/** Providers of continuous integration. */
import type { Provider, ProviderCall } from './provider.ts'

export interface WorkflowFile {
  /** Project-relative. */
  readonly path: string
  readonly text: string
}

/** A run that was started. */
export interface CiRun {
  readonly id: string
  readonly url: string
}

export interface CiProvider<C = unknown> extends Provider<C> {
  readonly role: 'ci'
  /** The files that run Stagecraft there. Pure, sorted by path; who asked writes them. */
  workflow(config: C, project: { readonly name: string; readonly environments: readonly string[] }): readonly WorkflowFile[]
  /** Starts a run. @throws TaskFailure */
  trigger(config: C, environment: string, version: string, call: ProviderCall): Promise<CiRun>
}
