import { createHmac } from 'node:crypto'
import { digestOf } from '../../../graph/fingerprint.ts'
import type { ActionResult, Digest, Fingerprint, TaskId } from '../../../graph/types.ts'
import { type TaskContext, TaskFailure } from '../../../tasks/kind.ts'
import type { Content, Ports, Secrets } from '../../../tasks/ports.ts'
import type { FakeHost } from '../../support/fake-host.ts'

/** A content store in memory that shows what it holds. */
export class MemoryContent implements Content {
  readonly blobs = new Map<Digest, Uint8Array>()
  async write(bytes: Uint8Array): Promise<Digest> {
    const digest = digestOf(bytes)
    this.blobs.set(digest, Uint8Array.from(bytes))
    return digest
  }
  async read(digest: Digest): Promise<Uint8Array> {
    const bytes = this.blobs.get(digest)
    if (bytes === undefined) throw new Error(`no blob ${digest}`)
    return bytes
  }
  text(digest: Digest): string {
    return Buffer.from(this.blobs.get(digest) ?? '').toString('utf8')
  }
}

export function memorySecrets(values: Readonly<Record<string, string>>): Secrets {
  return {
    names: Object.keys(values),
    get(name) {
      const value = values[name]
      if (value === undefined) throw new TaskFailure({ reason: 'refused', subject: name, message: `${name} is not set` })
      return value
    },
    digest: (name) => (values[name] === undefined ? 'absent' : createHmac('sha256', 'key').update(values[name]).digest('hex')),
  }
}

export interface Given {
  readonly projectDirectory?: string
  readonly content?: Content
  readonly secrets?: Readonly<Record<string, string>>
  readonly needs?: Readonly<Record<string, ActionResult>>
  readonly host?: FakeHost
  readonly guard?: () => Promise<void>
}

/** What a kind gets, with ports it must not use left to throw. */
export function taskContext(given: Given): TaskContext {
  const forbidden = (name: string) => () => {
    throw new Error(`the port ${name} is not for this kind`)
  }
  const ports = {
    host: (name: string) => {
      if (given.host?.name !== name) throw new Error(`no host ${name}`)
      return given.host
    },
    content: given.content ?? new MemoryContent(),
    secrets: memorySecrets(given.secrets ?? {}),
    projectDirectory: given.projectDirectory ?? '/nowhere',
    database: forbidden('database'),
    get programs(): never {
      return forbidden('programs')()
    },
    get probes(): never {
      return forbidden('probes')()
    },
    get outputs(): never {
      return forbidden('outputs')()
    },
    get environment(): never {
      return forbidden('environment')()
    },
    get builder(): never {
      return forbidden('builder')()
    },
    get spool(): never {
      return forbidden('spool')()
    },
    get registry(): never {
      return forbidden('registry')()
    },
    get release(): never {
      return forbidden('release')()
    },
  } satisfies Ports
  return {
    id: 'test:test' as TaskId,
    fingerprint: 'fingerprint' as Fingerprint,
    scope: { project: 'shop', environment: 'prod', version: 'v1' },
    signal: new AbortController().signal,
    needs: new Map(Object.entries(given.needs ?? {}) as [TaskId, ActionResult][]),
    ports,
    log: () => {},
    hold: () => {},
    guard: given.guard ?? (async () => {}),
  }
}
