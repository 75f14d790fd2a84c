/** A project folder on disk, and stand-ins for what a session reaches out to. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type GlobalOptions, InputError } from '../../src/contracts.ts'
import type { HostPool } from '../../src/session/hosts.ts'
import { openProject, type Project } from '../../src/session/open-project.ts'
import { told } from '../src/config/told.ts'
import type { FakeHost } from './fake-host.ts'
import { testApp } from './test-app.ts'

export const leastCompose = 'services: {web: {image: nginx}}\n'
export const leastManifest = `project: {name: shop, registry: ghcr.io/acme/shop}
environments: {prod: {hosts: [{name: node-1, address: 203.0.113.7}]}}
`

export function writeProject(directory: string, files: Readonly<Record<string, string>> = {}): void {
  const all: Record<string, string> = { 'stagecraft.yml': leastManifest, 'docker-compose.yml': leastCompose, ...files }
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
}

export const prod: GlobalOptions = { config: 'stagecraft.yml', env: 'prod', verbose: false, quiet: false, dryRun: false }

export function opened(directory: string, version = 'v1', globals: GlobalOptions = prod): Promise<Project> {
  return openProject(globals, testApp(directory).app, { version })
}

/** What opening it says is wrong, one line each. */
export async function refused(directory: string, version = 'v1', globals: GlobalOptions = prod): Promise<readonly string[]> {
  try {
    await opened(directory, version, globals)
  } catch (error) {
    if (error instanceof InputError) return told(error.diagnostics)
    throw error
  }
  return []
}

/** Hosts in memory in the place of connections. */
export function poolOf(...hosts: readonly FakeHost[]): HostPool {
  const host = (name: string): FakeHost => {
    const found = hosts.find((one) => one.name === name)
    if (!found) throw new Error(`no host ${name}`)
    return found
  }
  const none = () => ({}) as never
  return {
    host,
    lockable: none,
    appendOnly: none,
    acts: none,
    journal: none,
    lock: none,
    operator: none,
    lookAhead: () => {},
    stats: () => ({}),
    close: async () => {},
  }
}
