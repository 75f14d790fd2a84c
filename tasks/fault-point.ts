import { type FaultPoint, faultPoints } from './fault-points.ts'

/** What a point is met for, where one is met more than once: a task's id, a position. */
type About = string | number | { readonly id: string }

/**
 * Ends this process, or cuts its connections, at the point named by STAGECRAFT_FAULT: how the tests prove that the next deploy converges from
 * wherever a run stopped. `<point>[ <about>][:<mode>]`; without a mode as a power cut would. The published bundle defines the variable away, and
 * with it this and the list.
 */
export function faultPoint(point: FaultPoint, about?: About): void {
  if (process.env['STAGECRAFT_FAULT'] !== undefined) strike(process.env['STAGECRAFT_FAULT'], point, about)
}

/** A connection that mode `cut` breaks. */
export function cutAtFault(connection: Cuttable): void {
  if (process.env['STAGECRAFT_FAULT'] !== undefined) watch(connection)
}

interface Cuttable {
  destroy(error: Error): unknown
  once(event: 'close', listener: () => void): unknown
}

/** @internal */
export interface Fault {
  readonly point: FaultPoint
  readonly about?: string
  readonly mode: 'SIGKILL' | 'SIGINT' | 'SIGTERM' | 'cut'
}

const open = new Set<Cuttable>()
let hasStruck = false

function watch(connection: Cuttable): void {
  open.add(connection)
  connection.once('close', () => open.delete(connection))
}

function strike(wanted: string, point: FaultPoint, about: About | undefined): void {
  const fault = parseFault(wanted)
  const met = typeof about === 'object' ? about.id : String(about)
  // Only once: what follows a signal or a cut has to be able to pass here again.
  if (hasStruck || fault.point !== point || (fault.about !== undefined && fault.about !== met)) return
  hasStruck = true
  if (fault.mode === 'cut') {
    for (const connection of [...open]) connection.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
    process.stderr.write(`cut at ${point}\n`)
  } else process.kill(process.pid, fault.mode)
}

/** @throws RangeError for what is no point: a test that means one would pass without having met it. */
export function parseFault(text: string): Fault {
  const [, rest = '', mode = 'SIGKILL'] = /^(.*?)(?::(SIGKILL|SIGINT|SIGTERM|cut))?$/.exec(text) ?? []
  const [point = '', ...about] = rest.split(' ')
  if (!(point in faultPoints)) throw new RangeError(`STAGECRAFT_FAULT: \`${point}\` is no fault point`)
  return {
    point: point as FaultPoint,
    ...(about.length > 0 ? { about: about.join(' ') } : {}),
    mode: mode as Fault['mode'],
  }
}
