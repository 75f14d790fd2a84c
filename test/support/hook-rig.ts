/** One hook, on a host in memory or with programs that the test answers for. */
import type { Task, TaskId } from '../../graph/types.ts'
import { processEnvironment } from '../../src/programs/environment.ts'
import type { HookContainer, HookParams } from '../../tasks/hook/params.ts'
import type { TaskContext } from '../../tasks/kind.ts'
import type { Ports, ProgramEnd, ProgramRequest, RegistryCredentials } from '../../tasks/ports.ts'
import { taskContext } from '../tasks/rendering/task-context.ts'
import { FakeHost } from './fake-host.ts'
import { task } from './fake-run.ts'

export const image = 'registry.example/api@sha256:1'
export const bundle = 'b'.repeat(64)
export const inApi: HookContainer = {
  service: 'api',
  host: 'node-1',
  composeProject: 'shop-prod',
  directory: '/opt/stagecraft/shop/prod',
  render: 'render:node-1',
}

export function hookParamsOf(parts: Partial<HookParams> = {}): HookParams {
  return {
    ...{ point: 'after_rollout', around: 'rollout', after: ['rollout:api@node-1'], command: ['sh', '-c', './smoke'], env: [], secrets: [] },
    ...{ timeoutMs: 60_000, onFailure: 'fail', phase: 'rollout', locked: true, owedOn: null, hosts: ['node-1', 'node-2'] },
    ...{ status: 'running', container: null },
    ...parts,
  }
}

type Program = (request: ProgramRequest, onLine: (line: string) => void, signal: AbortSignal) => Promise<ProgramEnd>

export class HookRig {
  readonly host = new FakeHost()
  readonly lines: string[] = []
  readonly controller = new AbortController()
  /** What was run on this machine. */
  readonly requests: ProgramRequest[] = []
  readonly environment: Readonly<Record<string, string>>
  readonly secrets: Readonly<Record<string, string>>
  releaseId = 'rel-1'
  guard: () => Promise<void> = async () => {}
  credentials: RegistryCredentials | undefined
  /** What a program of this machine does; default it ends well. */
  program: Program = async () => ({ code: 0 })

  constructor(environment: Readonly<Record<string, string>> = {}, secrets: Readonly<Record<string, string>> = {}) {
    this.environment = environment
    this.secrets = secrets
    this.host.engine.images.add(image)
    this.host.answer(/ docker compose .* run /)
  }

  context(needs: Parameters<typeof taskContext>[0]['needs'] = this.rendered()): TaskContext {
    const base = taskContext({
      ...{ host: this.host, secrets: this.secrets, projectDirectory: '/project', guard: () => this.guard() },
      ...(needs ? { needs } : {}),
    })
    const registry = { manifest: async () => undefined, forget: () => {}, credentials: async () => this.credentials }
    const run: Program = (request, onLine, signal) => {
      this.requests.push(request)
      return this.program(request, onLine, signal)
    }
    const ports = Object.create(base.ports, {
      registry: { value: registry },
      programs: { value: { run } },
      environment: { value: processEnvironment(this.environment) },
      release: { value: { id: async () => this.releaseId } },
    }) as Ports
    return { ...base, id: 'hook:it' as TaskId, signal: this.controller.signal, ports, log: (line) => void this.lines.push(line) }
  }

  rendered() {
    return { 'render:node-1': { files: {}, values: { bundle, services: { api: { hash: 'h', image } }, variables: [], sidecars: [] } } }
  }

  /** Calls that made or took away something, without the looking. */
  steps(): readonly string[] {
    return this.host.writes().map((call) => call.replace(/^run .* docker compose .*$/, 'compose run'))
  }

  /** The words of the last command on the host. */
  argv(): readonly string[] {
    return this.host.commands.at(-1)?.argv ?? []
  }
}

export function hookTask(params: HookParams, needs: string[] = []): Task {
  return task('hook:it', { params, needs, after: [...(params.after ?? [])] })
}
