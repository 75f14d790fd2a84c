/** What a run and its spawner say to each other, as JSON over Node's channel between parent and child. */

/** To the spawner. `output` is the FIFO that both outputs go to: the run holds it open until it is answered. */
export interface SpawnRequest {
  readonly id: number
  readonly argv: readonly [string, ...string[]]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly output: string
}

/**
 * From the spawner: once that it can be asked; of each request, that it was started or not, and of what was started, that it ended. What ends at
 * once is one message: each wakes a process up.
 */
export type SpawnerReply =
  | { readonly ready: true }
  | { readonly id: number; readonly pid: number }
  | { readonly id: number; readonly code: string; readonly message: string }
  | { readonly id: number; readonly pid?: number; readonly end: { readonly code: number; readonly signal?: string } }
