/** Settles a plan: what was said on the command line, else what a person answers, else what was detected. */
import { problem } from '../config/diagnostic.ts'
import { InputError } from '../contracts.ts'
import { parseHostAddress } from '../host-address.ts'
import { type Detected, slug } from './detect.ts'
import { isRemote, type ManifestPlan } from './manifest.ts'
import type { Questions } from './questions.ts'

export interface Said {
  readonly projectName?: string | undefined
  readonly environment?: string | undefined
  readonly host?: string | undefined
}

/** @param questions undefined when there is nobody to ask. @throws InputError for a name or host that cannot be one. */
export async function askPlan(
  detected: Detected,
  composeFile: string | undefined,
  said: Said,
  questions: Questions | undefined,
): Promise<ManifestPlan> {
  for (const [flag, value, check] of [
    ['--project-name', said.projectName, nameProblem],
    ['--env', said.environment, nameProblem],
    ['--host', said.host, hostProblem],
  ] as const) {
    const message = value === undefined ? undefined : check(value)
    if (message === undefined) continue
    const suggestion = check === nameProblem ? { suggestion: slug(value ?? '') } : {}
    throw new InputError([problem('SC1011', `${flag}: ${message}`, undefined, suggestion)])
  }
  const name = said.projectName ?? (await questions?.ask({ text: 'Project name', fallback: detected.name.value, check: nameProblem }))
  if (composeFile === undefined) return { name: name === undefined ? detected.name : { value: name }, environment: 'prod', detected }
  const environment = said.environment ?? (await questions?.ask({ text: 'Environment', fallback: 'prod', check: nameProblem })) ?? 'prod'
  const askHost = isRemote({ environment }) ? questions : undefined
  const host = said.host ?? (await askHost?.ask({ text: 'Server, as [user@]address (empty: later)', fallback: '', check: hostProblem }))
  return {
    name: name === undefined ? detected.name : { value: name },
    ...(detected.registry && { registry: detected.registry }),
    composeFile,
    environment,
    ...(host && { host }),
    detected,
  }
}

function nameProblem(text: string): string | undefined {
  if (/^[a-z0-9][a-z0-9_-]*$/.test(text)) return undefined
  return `expected lower-case letters, digits, \`-\` and \`_\`, found ${JSON.stringify(text)}`
}

function hostProblem(text: string): string | undefined {
  return parseHostAddress(text) ? undefined : `expected \`[user@]address[:port]\`, found ${JSON.stringify(text)}`
}
