/** Writes what `--trace` and `--summary` asked for. */
import { fingerprint } from '../../graph/fingerprint.ts'
import type { Fingerprint, TaskId } from '../../graph/types.ts'
import { version } from '../cli/version.ts'
import type { App } from '../contracts.ts'
import type { Project } from './open-project.ts'
import type { World } from './open-world.ts'
import { type ReportFiles, writeReport } from './report-files.ts'
import { type RunSummary, runSummary } from './run-summary.ts'
import { traceOf } from './trace.ts'

type Ended = Omit<RunSummary, 'environment' | 'finishedAt' | 'versions' | 'fingerprints'>

export async function writeReports(files: ReportFiles, run: Ended, { deployment }: Project, world: World, app: App): Promise<void> {
  const warn = (message: string) => void app.stderr.write(`warning: ${message}\n`)
  if (files.trace !== undefined) writeReport(files.trace, traceOf(run.graph, run.record, run.startedAt), warn)
  if (files.summary === undefined) return
  const summary = runSummary({
    ...run,
    environment: deployment.environment,
    finishedAt: app.now().getTime(),
    versions: { stagecraft: version(), node: process.versions.node, platform: `${process.platform}-${process.arch}` },
    fingerprints: await fingerprintsOf(run, world),
  })
  writeReport(files.summary, summary, warn)
}

/** Of what each task last finished with: the action log was told by the run that has just ended. */
async function fingerprintsOf({ record }: Ended, { assessor }: World): Promise<ReadonlyMap<TaskId, Fingerprint>> {
  const found = new Map<TaskId, Fingerprint>()
  for (const [id, { outcome }] of record.tasks) {
    if (outcome?.status !== 'ran' && outcome?.status !== 'skipped') continue
    const action = await assessor.log.last(id)
    if (action !== undefined) found.set(id, fingerprint(action))
  }
  return found
}
