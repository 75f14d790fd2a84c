/**
 * What environments ask of the one proxy they share on a machine. What one of them asks for is added to what the others do: none
 * takes another's port or address away. `proxy.json` says who asks for what; a label of the container what it was started with.
 */
import { z } from 'zod'
import { digestOf } from '../../graph/fingerprint.ts'
import type { Host } from '../ports.ts'
import { modes, needsFile } from './layout.ts'

const needs = z.lazy(() =>
  z.strictObject({
    /** Where it is asked by this tool and, when published, by other machines. */
    ports: z.array(z.number().int()),
    /** `address:port`, for other machines. */
    published: z.array(z.string()),
    /** Machines whose forwarded headers are believed; only of a proxy that is told when it starts. */
    gateways: z.array(z.string()),
    /** What certificates are asked for under (`accountOf`); only of a proxy that is told when it starts. In the label: digests. */
    accounts: z.array(z.string()),
  }),
)
export type ProxyNeeds = z.infer<typeof needs>

const claims = z.lazy(() => z.record(z.string(), needs))

export const noNeeds: ProxyNeeds = { ports: [], published: [], gateways: [], accounts: [] }

/** Sorted, each once. Pure. */
export function union(all: readonly ProxyNeeds[]): ProxyNeeds {
  const words = (pick: (one: ProxyNeeds) => readonly string[]) => [...new Set(all.flatMap(pick))].sort()
  return {
    ports: [...new Set(all.flatMap(({ ports }) => ports))].sort((a, b) => a - b),
    published: words(({ published }) => published),
    gateways: words(({ gateways }) => gateways),
    accounts: words(({ accounts }) => accounts),
  }
}

/** Whether everything wanted is there. Pure. */
export function isMet(wanted: ProxyNeeds, there: ProxyNeeds): boolean {
  return JSON.stringify(union([wanted, there])) === JSON.stringify(union([there]))
}

/** As anybody may read them. Pure. */
export function withoutAddresses({ accounts, ...rest }: ProxyNeeds): ProxyNeeds {
  return { ...rest, accounts: accounts.map(accountDigest).sort() }
}

/** A mail address, an ACME server or both as one word; undefined when the proxy's own defaults will do. Pure. */
export function accountOf(email: string | undefined, server: string | null): string | undefined {
  return server === null ? email : `${email ?? ''} ${server}`
}

export function accountDigest(account: string): string {
  return digestOf(account).slice(0, 12)
}

/** Of a container's label; none when it has no such label, or not one of ours. Pure. */
export function needsOfLabel(label: string | undefined): ProxyNeeds {
  const parsed = needs.safeParse(parseJson(label ?? ''))
  return parsed.success ? parsed.data : noNeeds
}

/** By environment (`<project>.<environment>`); undefined when nobody has written them, or somebody has broken them. */
export async function readClaims(host: Host): Promise<Readonly<Record<string, ProxyNeeds>> | undefined> {
  const bytes = await host.edge.files.read(needsFile)
  const parsed = bytes && claims.safeParse(parseJson(Buffer.from(bytes).toString('utf8')))
  return parsed?.success ? parsed.data : undefined
}

/** Call under the edge's lock. */
export async function writeClaims(host: Host, all: Readonly<Record<string, ProxyNeeds>>): Promise<void> {
  const sorted = Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)))
  await host.edge.files.write(needsFile, Buffer.from(`${JSON.stringify(sorted, null, 1)}\n`), modes.file)
}

/** An environment without routes asks for nothing any more; the proxy that runs keeps what it has until it is replaced for another reason. Call under the edge's lock. */
export async function dropClaim(host: Host, owner: string): Promise<void> {
  const { [owner]: mine, ...others } = (await readClaims(host)) ?? {}
  if (mine) await writeClaims(host, others)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
