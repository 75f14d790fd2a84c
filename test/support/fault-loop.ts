/** Ends a run at a fault point, in the scene that meets it, and asks that the next plain deploy makes all well while users notice nothing. */
import * as assert from 'uvu/assert'
import { type FaultPoint, faultPoints, type Scene } from '../../tasks/fault-points.ts'
import type { FaultFleet } from './fault-fleet.ts'
import type { Finished } from './shop.ts'
import { startTraffic } from './traffic.ts'

export type Mode = 'SIGKILL' | 'SIGINT' | 'SIGTERM' | 'cut'

export interface FaultCase {
  readonly point: FaultPoint
  /** Which of several times the point is met. */
  readonly about?: string
  readonly mode: Mode
}

/** A run that is told to stop, or that has lost its hosts, is over by then. */
const boundMs = 90_000
/** What is left to do after these is so little that the run may be done before it hears of a signal. */
const late: readonly FaultPoint[] = ['after-task', 'audit-line-written', 'finalize-history', 'lock-kept', 'file-written', 'pin-found']

/** Caddy closes kept connections when it loads its configuration, as it does for a route whose settings change and for one that goes (ADR 37). */
const resetByLoad = /kept connection: ECONNRESET/

export function pointsOf(...scenes: readonly Scene[]): readonly FaultPoint[] {
  return (Object.keys(faultPoints) as FaultPoint[]).filter((point) => scenes.includes(faultPoints[point].scene))
}

export function textOf({ point, about, mode }: FaultCase): string {
  return `${point}${about === undefined ? '' : ` ${about}`}:${mode}`
}

/** `all`, or parts of the names of cases: only those run, and each is told with how long it took. */
const asked = process.env['STAGECRAFT_FAULT_LOOP'] ?? ''
export const isAll = asked === 'all'

export function chosen(cases: readonly FaultCase[]): readonly FaultCase[] {
  return asked === '' || isAll ? cases : cases.filter((fault) => asked.split(',').some((part) => textOf(fault).includes(part)))
}

export async function strike(fleet: FaultFleet, fault: FaultCase): Promise<void> {
  const startedAt = performance.now()
  const [outcome] = await Promise.allSettled([converges(fleet, fault)])
  if (asked !== '') {
    const took = `${outcome.status} ${textOf(fault)} in ${Math.round((performance.now() - startedAt) / 1000)} s`
    const { message, details } = (outcome.status === 'rejected' ? outcome.reason : {}) as { message?: string; details?: string }
    process.stderr.write(`${took}\n${[message, details].filter((part) => typeof part === 'string').join('\n')}`)
  }
  if (outcome.status === 'rejected') throw outcome.reason
}

async function converges(fleet: FaultFleet, fault: FaultCase): Promise<void> {
  const text = textOf(fault)
  const { scene } = faultPoints[fault.point]
  const words = await stage(fleet, scene, fault)
  const isServed = scene !== 'first' && scene !== 'maintenance'
  const traffic = isServed ? startTraffic({ address: fleet.host.address, domain: fleet.domain, slowPath: '/slow' }) : undefined
  const startedAt = performance.now()
  const ended = await fleet.run([...words, '--env', 'prod'], { unbundled: true, env: { STAGECRAFT_FAULT: text }, timeoutMs: boundMs })
  assertEnded(ended, fault, performance.now() - startedAt)
  if (fault.mode !== 'SIGKILL')
    assert.equal(
      fleet.remains().filter((row) => /\/lock/.test(row)),
      [],
      `${text}: locks are given back`,
    )
  await unstage(fleet, scene)
  await fleet.deployPlainly(text)
  if (isServed) await traffic?.until(fleet.wanted)
  const report = await traffic?.stop()
  const isLoaded = scene === 'route' || scene === 'gone'
  const noticed = (report?.failures ?? []).filter((failure) => !(isLoaded && resetByLoad.test(failure)))
  assert.equal(noticed, [], `${text}: what users noticed`)
  await fleet.assertConverged(text)
}

/** @returns the words of the run that is to be ended. */
async function stage(fleet: FaultFleet, scene: Scene, { point, about }: FaultCase): Promise<readonly string[]> {
  const image = point === 'image-pulled' || /^(build|push):/.test(about ?? '')
  if (scene === 'fewer') await fleet.settle({ replicas: 2 })
  if (scene === 'gone') await fleet.settle({ side: true })
  if (scene === 'rollback') await fleet.settle({})
  if (scene === 'first') fleet.withoutProxies()
  if (scene === 'undo') fleet.breakSecond()
  if (scene === 'route') fleet.reroute()
  else if (scene !== 'rollback' && scene !== 'maintenance') fleet.next({ image })
  if (scene === 'maintenance') return ['maintenance', 'on']
  return scene === 'rollback' ? ['rollback', '--to-previous', '--yes'] : ['deploy']
}

async function unstage(fleet: FaultFleet, scene: Scene): Promise<void> {
  if (scene === 'undo') fleet.mendSecond()
  if (scene !== 'maintenance') return
  const { code, stdout, stderr } = await fleet.run(['maintenance', 'off', '--env', 'prod'])
  assert.is(code, 0, stdout + stderr)
}

function assertEnded({ code, signal, stdout, stderr }: Finished, fault: FaultCase, tookMs: number): void {
  const said = `${textOf(fault)} ended with ${code ?? signal} after ${Math.round(tookMs / 1000)} s: ${stdout}${stderr}`
  if (fault.mode === 'SIGKILL') assert.is(signal, 'SIGKILL', said)
  else assert.ok(tookMs < boundMs, said)
  if (fault.mode === 'cut') {
    assert.match(stderr, `cut at ${fault.point}`)
    assert.ok([0, 2, 10].includes(code ?? -1), said)
  } else if (fault.mode !== 'SIGKILL') assert.ok(code === 130 || (late.includes(fault.point) && code === 0), said)
}
