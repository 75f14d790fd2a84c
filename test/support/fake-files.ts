import { posix } from 'node:path'
import { TaskFailure } from '../../tasks/kind.ts'
import type { HostFiles } from '../../tasks/ports.ts'

type Entry =
  | { readonly type: 'file'; readonly bytes: Uint8Array; readonly mode: number }
  | { readonly type: 'folder'; readonly mode: number }
  | { readonly type: 'link'; readonly target: string }

/** Files of a {@link FakeHost}: links are followed, modes kept, and paths can be denied. */
export class FakeFiles implements HostFiles {
  readonly #record: (call: string) => void
  readonly #entries = new Map<string, Entry>([['.', { type: 'folder', mode: 0o755 }]])
  readonly #denied: string[] = []
  readonly #hostName: string

  constructor(hostName: string, record: (call: string) => void) {
    this.#hostName = hostName
    this.#record = record
  }

  // --- for tests: none of these is recorded ---

  /** Every file, link and folder below the host's directory, sorted: `bundles/`, `bundles/a/.env`, `current -> bundles/a`. */
  tree(): readonly string[] {
    const shown = [...this.#entries].filter(([path]) => path !== '.')
    return shown
      .map(([path, entry]) => (entry.type === 'link' ? `${path} -> ${entry.target}` : entry.type === 'folder' ? `${path}/` : path))
      .sort()
  }
  /** @throws Error when there is no such file. */
  text(path: string): string {
    const entry = this.#entries.get(this.#resolve(path))
    if (entry?.type !== 'file') throw new Error(`no file ${path} on ${this.#hostName}; there is:\n${this.tree().join('\n')}`)
    return Buffer.from(entry.bytes).toString('utf8')
  }
  /** Permission bits, as `600`. */
  mode(path: string): string {
    const entry = this.#entries.get(this.#resolve(path))
    if (entry === undefined || entry.type === 'link') throw new Error(`nothing at ${path} on ${this.#hostName}`)
    return entry.mode.toString(8)
  }
  /** Target of a link, if it is one. */
  target(path: string): string | undefined {
    const entry = this.#entries.get(posix.normalize(path))
    return entry?.type === 'link' ? entry.target : undefined
  }
  has(path: string): boolean {
    return this.#entries.has(this.#resolve(path))
  }
  /** Puts a file there, with its folders. */
  put(path: string, text: string, mode = 0o644): void {
    this.#makeFolders(posix.dirname(path), 0o755)
    this.#entries.set(this.#resolve(path), { type: 'file', bytes: Buffer.from(text), mode })
  }
  link(path: string, target: string): void {
    this.#entries.set(posix.normalize(path), { type: 'link', target })
  }
  /** From now on, nothing at or below `path` can be written. */
  deny(path: string): void {
    this.#denied.push(posix.normalize(path))
  }

  // --- HostFiles ---

  async makeDirectory(path: string, mode = 0o755): Promise<void> {
    this.#writing(`makeDirectory ${path} ${mode.toString(8)}`, path)
    this.#makeFolders(path, mode)
  }
  async write(path: string, bytes: Uint8Array, mode: number): Promise<void> {
    this.#writing(`write ${path} ${mode.toString(8)}`, path)
    const resolved = this.#resolve(path)
    if (this.#entries.get(posix.dirname(resolved))?.type !== 'folder') throw this.#failure(`no such folder: ${posix.dirname(path)}`)
    if (this.#entries.get(resolved)?.type === 'folder') throw this.#failure(`${path} is a folder`)
    this.#entries.set(resolved, { type: 'file', bytes: Uint8Array.from(bytes), mode })
  }
  async read(path: string): Promise<Uint8Array | undefined> {
    this.#record(`read ${path}`)
    const entry = this.#entries.get(this.#resolve(path))
    return entry?.type === 'file' ? Uint8Array.from(entry.bytes) : undefined
  }
  async exists(path: string): Promise<boolean> {
    this.#record(`exists ${path}`)
    return this.has(path)
  }
  async list(path: string): Promise<readonly string[]> {
    this.#record(`list ${path}`)
    const folder = this.#resolve(path)
    const below = [...this.#entries.keys()].filter((entry) => entry !== '.' && posix.dirname(entry) === folder)
    return below.map((entry) => posix.basename(entry)).sort()
  }
  async rename(from: string, to: string): Promise<void> {
    this.#writing(`rename ${from} ${to}`, from, to)
    const [source, target] = [this.#resolve(from), this.#resolve(to)]
    if (!this.#entries.has(source)) throw this.#failure(`no such file: ${from}`)
    if (this.#entries.get(target)?.type === 'folder') throw this.#failure(`${to} exists`)
    for (const [path, entry] of [...this.#entries]) {
      if (path !== source && !path.startsWith(`${source}/`)) continue
      this.#entries.delete(path)
      this.#entries.set(`${target}${path.slice(source.length)}`, entry)
    }
  }
  async point(path: string, target: string): Promise<void> {
    this.#writing(`point ${path} ${target}`, path)
    const at = posix.normalize(path)
    const present = this.#entries.get(at)
    if (present !== undefined && present.type !== 'link') throw this.#failure(`${path} exists and is not a link`)
    this.#entries.set(at, { type: 'link', target })
  }
  async remove(path: string): Promise<void> {
    this.#writing(`remove ${path}`, path)
    const at = posix.normalize(path)
    for (const entry of [...this.#entries.keys()]) if (entry === at || entry.startsWith(`${at}/`)) this.#entries.delete(entry)
  }

  #writing(call: string, ...paths: readonly string[]): void {
    this.#record(call)
    const below = (path: string, denied: string) => denied === '.' || path === denied || path.startsWith(`${denied}/`)
    const denied = paths.find((path) => this.#denied.some((prefix) => below(posix.normalize(path), prefix)))
    if (denied !== undefined) throw this.#failure(`${denied}: Permission denied`)
  }
  #makeFolders(path: string, mode: number): void {
    const resolved = this.#resolve(path)
    const parent = posix.dirname(resolved)
    if (parent !== resolved && !this.#entries.has(parent)) this.#makeFolders(parent, mode)
    const present = this.#entries.get(resolved)
    if (present !== undefined && present.type !== 'folder') throw this.#failure(`${path} is not a folder`)
    if (present === undefined) this.#entries.set(resolved, { type: 'folder', mode })
  }
  #resolve(path: string, depth = 0): string {
    if (depth > 8) throw this.#failure(`too many links: ${path}`)
    const parts = posix.normalize(path).replace(/\/$/, '').split('/')
    for (let length = 1; length <= parts.length; length++) {
      const head = parts.slice(0, length).join('/')
      const entry = this.#entries.get(head)
      if (entry?.type === 'link') return this.#resolve(posix.join(posix.dirname(head), entry.target, ...parts.slice(length)), depth + 1)
    }
    return parts.join('/')
  }
  #failure(message: string): TaskFailure {
    return new TaskFailure({ reason: 'refused', subject: this.#hostName, message: `${this.#hostName}: ${message}` })
  }
}
