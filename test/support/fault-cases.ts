/** Which fault points are met in which way: by the two long loops, and some of them by every run of the tests. */
import type { FaultPoint } from '../../tasks/fault-points.ts'
import { type FaultCase, isAll, type Mode, pointsOf } from './fault-loop.ts'

/** One of each kind that acts when there is a next version. */
export const kinds: readonly string[] = [
  ...['build:web', 'push:web', 'render:node-1', 'upload:node-2', 'migrate_pre:main', 'hook:before_rollout'],
  ...['rollout:web@node-1', 'finalize:prod'],
]
/** Points that are met more than once, where it matters at which. */
const abouts: Readonly<Partial<Record<string, readonly string[]>>> = {
  'before-task': kinds,
  'after-task': kinds,
  'file-written': ['releases.json', '.history'],
  'upload-begun': ['upload:node-2'],
}

/** What a next version meets. */
export const kills: readonly FaultCase[] = pointsOf('deploy', 'kinds').flatMap((point) =>
  (abouts[point] ?? [undefined]).map((about): FaultCase => ({ point, mode: 'SIGKILL', ...(about === undefined ? {} : { about }) })),
)

const others = pointsOf('route', 'fewer', 'gone', 'undo', 'rollback', 'maintenance', 'first')
/** A run that lives on has something of its own to take back at these. */
const interrupted: readonly FaultPoint[] = [
  ...(['lock-partly-taken', 'migrate-applying', 'hook-running', 'compose-running', 'container-started'] as const),
  ...(['trial-published', 'container-routed', 'container-stopped'] as const),
]
const cut: readonly FaultPoint[] = [
  ...(['lock-taken', 'upload-begun', 'hook-running', 'compose-running', 'container-created', 'container-settled'] as const),
  ...(['set-written', 'container-stopped', 'finalize-history'] as const),
]
const everywhere = [...pointsOf('deploy'), ...others]
const inMode = (mode: Mode, points: readonly FaultPoint[]) => points.map((point): FaultCase => ({ point, mode }))

/** What needs more than a next version; and runs that are told to stop or lose their hosts. */
export const scenes: readonly FaultCase[] = [
  ...inMode('SIGKILL', others),
  ...inMode('SIGINT', isAll ? everywhere : interrupted),
  ...inMode('SIGTERM', isAll ? everywhere : ['container-gated']),
  ...inMode('cut', isAll ? everywhere : cut),
]

/**
 * Those whose turn it is: as many as `count`, others each day, so that every one of them comes within `all.length / count` days.
 * @param day days since 1970.
 */
export function turnOf(day: number, count: number, all: readonly FaultCase[]): readonly FaultCase[] {
  const first = (day * count) % all.length
  return [...all, ...all].slice(first, first + Math.min(count, all.length))
}
