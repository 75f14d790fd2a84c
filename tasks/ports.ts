/**
 * What a task kind may ask of the world. Implementations live in `src/hosts`, `src/programs`, `src/outputs`, `src/databases` and `src/releases`;
 * tests hand over fakes. Every method has a deadline and throws `TaskFailure` naming the host and the remedy. The parts are in `ports/`; everybody
 * imports them from here.
 */
import type { Database } from './ports/database.ts'
import type { Host } from './ports/host.ts'
import type { Builder, Registry } from './ports/images.ts'
import type { Probes, Programs } from './ports/programs.ts'
import type { Content, Environment, Outputs, Secrets } from './ports/project.ts'
import type { ImageSpool } from './ports/transfer.ts'

export type * from './ports/database.ts'
export type * from './ports/edge.ts'
export type * from './ports/engine.ts'
export type * from './ports/host.ts'
export type * from './ports/images.ts'
export type * from './ports/programs.ts'
export type * from './ports/project.ts'
export type * from './ports/swarm.ts'
export type * from './ports/transfer.ts'

/** Where a run takes place. */
export interface Scope {
  readonly project: string
  readonly environment: string
  /** Recorded in releases; never part of what a container is made from. */
  readonly version: string
}

export interface Ports {
  host(name: string): Host
  readonly builder: Builder
  readonly registry: Registry
  readonly spool: ImageSpool
  readonly secrets: Secrets
  readonly content: Content
  readonly programs: Programs
  readonly probes: Probes
  readonly outputs: Outputs
  readonly environment: Environment
  readonly release: ReleasePort
  /** Opens the database called `name` in the manifest, through the host's SSH connection when the manifest says so. */
  database(name: string): Promise<Database>
  /** Absolute path of the folder the manifest is in. */
  readonly projectDirectory: string
}

export interface ReleasePort {
  /** Id of the release this run makes; made on first use. */
  id(): Promise<string>
  /** Marks the release finished, locally; returns the history as it is to be copied to the primary host. */
  complete(images: Readonly<Record<string, { readonly ref: string; readonly digest: string; readonly transfer?: 'ssh' }>>): Promise<string>
}
