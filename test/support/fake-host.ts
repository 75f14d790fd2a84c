/**
 * A host in memory. It keeps files and containers, records every call on its port in one list, answers commands as the
 * test says, and can break at any call. What tests do to it (put a file, add a container) is not recorded.
 *
 *     const host = new FakeHost('node-1')
 *     host.engine.add({ name: 'web-1', hash: 'a' })
 *     host.answer(/^docker compose/, { code: 0 })
 *     await upload.run(params, context)
 *     assert.equal(host.calls, ['observe', 'makeDirectory bundles 750', …])
 */
import { type Duplex, PassThrough } from 'node:stream'
import { TaskFailure } from '../../tasks/kind.ts'
import type { EdgeState } from '../../tasks/ports/edge.ts'
import type { Command, Exit, Host, HostState, LockHolder } from '../../tasks/ports.ts'
import { FakeEngine } from './fake-engine.ts'
import { FakeFiles } from './fake-files.ts'
import { FakeHostImages } from './fake-host-images.ts'
import { FakeSwarm } from './fake-swarm.ts'

type Answer = Partial<Exit> | ((command: Command) => Partial<Exit> | Promise<Partial<Exit>>)

/** A command that stays unanswered until the test ends it. */
export interface HeldCommand {
  /** Resolves when the command was asked for. */
  readonly asked: Promise<Command>
  finish(exit?: Partial<Exit>): void
}

export class FakeHost implements Host {
  readonly name: string
  readonly directory: string
  readonly files: FakeFiles
  readonly engine: FakeEngine
  readonly images: FakeHostImages
  /** The edge's folder: its calls are recorded as `edge write …`. */
  readonly edge: { readonly directory: string; readonly files: FakeFiles; exclusively<T>(work: () => Promise<T>): Promise<T> }
  /** Looked at once the test has said that there is one. */
  readonly swarm: FakeSwarm
  isManager = false
  /** What a look finds there, if anything; the test keeps it true. */
  edgeState: (() => EdgeState) | undefined
  /** Calls in order, as one line each: `write bundles/a/.env 600`, `run docker compose up`, `start web-2`. */
  readonly calls: string[] = []
  /** Every command that was run, whole. */
  readonly commands: Command[] = []
  lock: LockHolder | undefined
  release: string | undefined
  readonly #answers: { readonly pattern: RegExp; readonly answer: Answer }[] = []
  readonly #faults: { readonly pattern: RegExp; after: number; readonly error: Error }[] = []
  #callsLeft = Number.POSITIVE_INFINITY
  #seen: HostState | undefined

  constructor(name = 'node-1', directory = '/opt/stagecraft/shop/prod') {
    this.name = name
    this.directory = directory
    const record = (call: string) => this.#record(call)
    this.files = new FakeFiles(name, record)
    this.engine = new FakeEngine(name, record)
    this.images = new FakeHostImages(name, record)
    this.swarm = new FakeSwarm(record)
    this.hasFree(1e12)
    const files = new FakeFiles(name, (call) => record(`edge ${call}`))
    this.edge = { directory: '/opt/stagecraft/edge', files, exclusively: (work) => work() }
  }

  // --- for tests ---

  /** Answers commands whose words, joined by spaces, match. The answer given last wins; missing parts are empty and 0. */
  answer(pattern: RegExp, answer: Answer = {}): void {
    this.#answers.unshift({ pattern, answer })
  }
  /** Room where the engine keeps images; there is plenty at first. */
  hasFree(bytes: number): void {
    this.answer(/^docker info --format \{\{\.DockerRootDir\}\}$/, { stdout: '/var/lib/docker\n' })
    const table = `Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda1 9 9 ${Math.floor(bytes / 1024)} 9% /\n`
    this.answer(/^df -Pk /, { stdout: table })
  }
  /** Like `answer`, but the test decides when the command ends. */
  hold(pattern: RegExp): HeldCommand {
    let ask: (command: Command) => void = () => {}
    let finish: (exit: Partial<Exit>) => void = () => {}
    const asked = new Promise<Command>((resolve) => {
      ask = resolve
    })
    const ended = new Promise<Partial<Exit>>((resolve) => {
      finish = resolve
    })
    this.answer(pattern, (command) => {
      ask(command)
      return ended
    })
    return { asked, finish: (exit = {}) => finish(exit) }
  }
  /** Makes a call fail once: the first one that matches after `after` others that matched. */
  failOn(pattern: RegExp, options: { readonly after?: number; readonly error?: Error } = {}): void {
    const failure = { reason: 'unreachable', subject: this.name, message: `${this.name}: connection lost` } as const
    this.#faults.push({ pattern, after: options.after ?? 0, error: options.error ?? new TaskFailure(failure) })
  }
  /** Lets `count` more calls through and then fails every one, as a lost connection does, until `revive`. */
  dieAfter(count: number): void {
    this.#callsLeft = count
  }
  revive(): void {
    this.#callsLeft = Number.POSITIVE_INFINITY
    this.#seen = undefined
  }
  /** Calls that wrote something: a task with nothing to do makes none. */
  writes(): readonly string[] {
    return this.calls.filter(
      (call) =>
        !/^(?:edge )?(observe|changed|read|exists|list|inspect|logs|events|hasImage|images of|stacks|layers|save|run docker info|run df)\b/.test(
          call,
        ),
    )
  }

  // --- Host ---

  async observe(): Promise<HostState> {
    if (this.#seen !== undefined) return this.#seen
    this.#record('observe')
    const bundle = this.files.target('current')?.replace(/^bundles\//, '')
    this.#seen = {
      containers: this.engine.containers(),
      ...(bundle !== undefined && this.files.has(`bundles/${bundle}`) && { bundle }),
      ...(this.release !== undefined && { release: this.release }),
      ...(this.lock !== undefined && { lock: this.lock }),
      ...(this.edgeState && { edge: this.edgeState() }),
      ...(this.isManager && { swarm: { services: this.swarm.services() } }),
    }
    return this.#seen
  }
  changed(): void {
    this.calls.push('changed')
    this.#seen = undefined
  }
  async connect(address: string, port: number): Promise<Duplex> {
    this.#record(`connect ${address}:${port}`)
    return new PassThrough()
  }
  async run(command: Command, onLine?: (line: string) => void): Promise<Exit> {
    const line = command.argv.join(' ')
    this.#record(`run ${line}`)
    this.commands.push(command)
    const found = this.#answers.find(({ pattern }) => pattern.test(line))
    if (found === undefined) throw new Error(`${this.name} was asked for a command the test does not answer: ${line}`)
    const given = typeof found.answer === 'function' ? await found.answer(command) : found.answer
    const exit = { code: 0, stdout: '', stderr: '', ...given }
    for (const text of `${exit.stdout}${exit.stderr}`.split('\n')) if (text !== '') onLine?.(text)
    return exit
  }

  #record(call: string): void {
    if (this.#callsLeft <= 0) {
      throw new TaskFailure({ reason: 'unreachable', subject: this.name, message: `${this.name}: connection lost before ${call}` })
    }
    this.#callsLeft--
    this.calls.push(call)
    const fault = this.#faults.find(({ pattern }) => pattern.test(call))
    if (fault === undefined) return
    if (fault.after > 0) {
      fault.after--
      return
    }
    this.#faults.splice(this.#faults.indexOf(fault), 1)
    throw fault.error
  }
}
