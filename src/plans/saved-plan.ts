/** A plan in a file: what `plan --out` writes and `deploy --plan` holds the world to. The schema is in spec/core/plan-file.md. */
import { z } from 'zod'
import { digestOfJson } from '../../graph/fingerprint.ts'
import type { Json } from '../../graph/types.ts'

export const planFileVersion = 1
const type = 'stagecraft-plan'

const texts = z.record(z.string(), z.string())
const inputs = z.strictObject({
  /** Of kind and parameters: the manifest, the Compose file, the version. */
  definition: z.string(),
  /** Digests by name. */
  variables: texts,
  secrets: texts,
  files: texts,
})
const plannedTask = z.strictObject({
  id: z.string(),
  kind: z.string(),
  description: z.string(),
  depends_on: z.array(z.string()),
  /** Of an effect, a change of `state` counts; of other tasks, only what they are made from. */
  effect: z.boolean(),
  state: z.enum(['fresh', 'run', 'may-run']),
  /** Why it runs, what was seen, or what it waits for. */
  detail: z.string(),
  /** Absent while the result of a need is not known. */
  fingerprint: z.string().optional(),
  inputs,
})
const hostPicture = z.strictObject({
  release: z.string().nullable(),
  bundle: z.string().nullable(),
  containers: z.array(z.strictObject({ service: z.string(), name: z.string(), id: z.string(), hash: z.string(), state: z.string() })),
  routes: texts,
  swarm: texts,
})
const words = z.array(z.string())
const options = z.strictObject({
  version: z.string().optional(),
  host: words.optional(),
  role: words.optional(),
  services: words.optional(),
  allow_unreachable: z.boolean(),
})
const body = z.strictObject({
  schema_version: z.literal(planFileVersion),
  type: z.literal(type),
  project: z.string(),
  environment: z.string(),
  version: z.string(),
  options,
  tasks: z.array(plannedTask),
  hosts: z.record(z.string(), hostPicture),
})
const file = body.extend({ digest: z.string() })

export type TaskInputs = z.output<typeof inputs>
export type PlannedTask = z.output<typeof plannedTask>
export type PlannedHost = z.output<typeof hostPicture>
export type SavedPlan = z.output<typeof body>

export const savedPlanType = type

/** Two-space JSON that ends in a line feed; the same plan gives the same bytes. @param redact applied to all that is written. */
export function renderSavedPlan(plan: SavedPlan, redact: (text: string) => string): string {
  const clean = JSON.parse(redact(JSON.stringify(plan))) as Json
  return `${JSON.stringify({ ...(clean as object), digest: digestOfJson(clean) }, null, 2)}\n`
}

export type ReadPlan =
  | { readonly ok: true; readonly plan: SavedPlan }
  /** `why` completes "FILE …". */
  | { readonly ok: false; readonly problem: 'no-plan' | 'version' | 'changed'; readonly why: string }

/** Reads what {@link renderSavedPlan} wrote, and nothing else. Pure. */
export function readSavedPlan(text: string): ReadPlan {
  let root: unknown
  try {
    root = JSON.parse(text)
  } catch {
    return { ok: false, problem: 'no-plan', why: 'is no plan: it is not valid JSON' }
  }
  const { type: named, schema_version: version } = (root ?? {}) as { readonly type?: unknown; readonly schema_version?: unknown }
  if (named !== type)
    return { ok: false, problem: 'no-plan', why: 'is no plan that can be deployed: those are written by `stagecraft plan --out FILE`' }
  if (version !== planFileVersion) {
    const why = `has schema version ${JSON.stringify(version)}; this program reads version ${planFileVersion}: plan again with this program`
    return { ok: false, problem: 'version', why }
  }
  const { digest, ...rest } = root as { readonly digest?: unknown } & Readonly<Record<string, Json>>
  if (digest !== digestOfJson(rest)) return { ok: false, problem: 'changed', why: 'was changed after it was written: plan again' }
  const parsed = file.safeParse(root)
  if (!parsed.success) return { ok: false, problem: 'changed', why: `is not as this program writes it: ${parsed.error.issues[0]?.message}` }
  const { digest: _, ...plan } = parsed.data
  return { ok: true, plan }
}
