/** A project of user tasks on disk, run by the program as it is published, and what its outputs must be, computed without it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'

const program = fileURLToPath(new URL('../../../bin/stagecraft.js', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface PileOptions {
  readonly layers: number
  readonly width: number
  /** Folder of the local cache; default the project's own. */
  readonly cache?: string
}

/** Layers of tasks, each of which joins its own input and what three tasks of the layer before made. */
export class Pile {
  readonly directory = mkdtempSync(join(tmpdir(), 'pile-'))
  readonly names: readonly string[]
  readonly #needs: ReadonlyMap<string, readonly string[]>
  readonly #cache: string | undefined
  #revision = 0

  constructor({ layers, width, cache }: PileOptions) {
    this.#cache = cache
    const needs = new Map<string, readonly string[]>()
    for (let layer = 0; layer < layers; layer++) {
      for (let place = 0; place < width; place++) {
        const before = [place, place + 1, place + 2].map((other) => `l${layer - 1}n${other % width}`)
        needs.set(`l${layer}n${place}`, layer === 0 ? [] : [...new Set(before)])
      }
    }
    this.#needs = needs
    this.names = [...needs.keys()]
    mkdirSync(join(this.directory, 'in'))
    for (const name of this.names) this.edit(name)
    const lines = this.names.map((name) => {
      const before = needs.get(name) ?? []
      const from = [`in/${name}`, ...before.map((need) => `out/${need}`)].join(' ')
      const command = `echo ${name} >> ran; cat ${from} > out/${name}`
      return `  ${name}: {command: ${JSON.stringify(command)}, inputs: [in/${name}], outputs: [out/${name}], needs: [${before.join(', ')}]}`
    })
    writeFileSync(
      join(this.directory, 'stagecraft.yml'),
      `project: {name: pile}\ntasks:\n${lines.join('\n')}\npipelines: {all: [${this.names.join(', ')}]}\n`,
    )
  }

  /** Writes content into a task's input that no input ever had. */
  edit(name: string): void {
    writeFileSync(join(this.directory, 'in', name), `${name} ${this.#revision++}\n`)
  }

  start(...args: readonly string[]): ChildProcess {
    const { NODE_EXTRA_CA_CERTS: _, CI: __, ...env } = process.env
    return spawn(process.execPath, [program, 'run', 'all', ...args], {
      cwd: this.directory,
      env: { ...env, NO_COLOR: '1', ...(this.#cache === undefined ? {} : { STAGECRAFT_CACHE_DIR: this.#cache }) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  run(...args: readonly string[]): Promise<Ended> {
    return ended(this.start(...args))
  }

  /** Kills it hard once it has told of so many events; with none, as soon as it exists. @returns how many it had told of. */
  async runAndKill(events: number): Promise<number> {
    const child = this.start('--format', 'json')
    let seen = 0
    const kill = (): void => void child.kill('SIGKILL')
    if (events === 0) child.once('spawn', kill)
    child.stdout?.on('data', (chunk: Buffer) => {
      seen += chunk.toString().split('\n').length - 1
      if (seen >= events) kill()
    })
    await ended(child)
    return seen
  }

  /** Every output is what its inputs say. */
  assertRight(): void {
    const expected = new Map<string, string>()
    for (const name of this.names) {
      const own = readFileSync(join(this.directory, 'in', name), 'utf8')
      expected.set(name, own + (this.#needs.get(name) ?? []).map((need) => expected.get(need)).join(''))
      assert.is(readFileSync(join(this.directory, 'out', name), 'utf8'), expected.get(name), `out/${name}`)
    }
  }

  /** Names of tasks whose command ran since the last time this was asked, once for each run. */
  ran(): readonly string[] {
    const path = join(this.directory, 'ran')
    const names = existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : []
    rmSync(path, { force: true })
    return names.sort()
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }
}

function ended(child: ChildProcess): Promise<Ended> {
  const text = { stdout: '', stderr: '' }
  child.stdout?.on('data', (chunk: Buffer) => {
    text.stdout += chunk
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    text.stderr += chunk
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, ...text }))
  })
}
