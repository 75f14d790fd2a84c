/** What every part of the benchmark works with. */
import type { Lab } from '../lab/lab.ts'
import type { Shop } from '../support/shop.ts'
import type { Wire } from '../support/wire.ts'
import type { Program } from './measure.ts'

export interface Bench {
  readonly lab: Lab
  /** A folder that goes when the benchmark ends. */
  readonly scratch: string
  readonly runs: number
  /** The published bundle with these words, in a clean environment. */
  stagecraft(words: readonly string[], cwd: string): Program
  say(line: string): void
}

/** Lets the shop's host be reached through the wire. */
export function reach(shop: Shop, wire: Wire): void {
  shop.edit('stagecraft.known_hosts', (text) => text + wire.knownHost)
  shop.edit('stagecraft.yml', (text) => text.replace(/address: "[^"]*", port: \d+/, `address: "127.0.0.1", port: ${wire.port}`))
}

/** @throws Error with what it said when it failed. */
export async function deployed(shop: Shop): Promise<readonly string[]> {
  const { code, stdout, stderr, ran } = await shop.deploy()
  if (code !== 0) throw new Error(stdout + stderr)
  return ran
}
