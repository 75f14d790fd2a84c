/**
 * Loads the modules of the bundle, which are CommonJS: several times faster than Node's loader of ES modules, and the only way to hand V8 what it made of them
 * the last time. Builtins are Node's; nothing else is ever asked for, since the bundle has everything.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Script } from 'node:vm'
import { type Compiled, checksum } from './code-file.ts'

export interface Modules {
  /** What a module exports. @param file absolute path. @throws whatever its code throws. */
  load(file: string): unknown
  /** True when something was loaded that had to be compiled: its code was not known, or was of another text or engine. */
  readonly learned: boolean
  /** The code of all that is known, with every function that was called since. */
  compiled(): ReadonlyMap<string, Compiled>
}

interface Module {
  exports: unknown
}

type Body = (exports: unknown, require: (id: string) => unknown, module: Module, filename: string, dirname: string) => void

/** @param known code from an earlier process by absolute path; undefined when none is kept, so that nothing need be checked. */
export function bundleModules(known: ReadonlyMap<string, Compiled> | undefined): Modules {
  const modules = new Map<string, Module>()
  const scripts = new Map<string, { readonly script: Script; readonly text: number }>()
  let learned = false

  function load(file: string): unknown {
    const loaded = modules.get(file)
    if (loaded) return loaded.exports
    const module: Module = { exports: {} }
    // Modules may need each other.
    modules.set(file, module)
    const folder = dirname(file)
    const required = (id: string) => (id.startsWith('.') ? load(join(folder, id)) : builtin(id))
    try {
      bodyOf(file)(module.exports, required, module, file, folder)
    } catch (error) {
      modules.delete(file)
      throw error
    }
    return module.exports
  }

  function bodyOf(file: string): Body {
    const bytes = readFileSync(file)
    const text = known ? checksum(bytes) : 0
    const kept = known?.get(file)
    const cachedData = kept?.text === text ? kept.code : undefined
    const script = compile(file, bytes, cachedData)
    if (!cachedData || script.cachedDataRejected) learned = true
    scripts.set(file, { script, text })
    return script.runInThisContext() as Body
  }

  return {
    load,
    get learned() {
      return learned
    },
    compiled() {
      const made = [...scripts].map(([file, { script, text }]) => [file, { text, code: script.createCachedData() }] as const)
      return new Map([...(known ?? []), ...made])
    },
  }
}

function compile(file: string, bytes: Buffer, cachedData: Uint8Array | undefined): Script {
  const source = `(function (exports, require, module, __filename, __dirname) {${bytes.toString()}\n})`
  const { Script } = process.getBuiltinModule('node:vm')
  return new Script(source, { filename: file, ...(cachedData ? { cachedData } : {}) })
}

/** Libraries try what is not there and go without it, so this throws what they expect. */
function builtin(id: string): unknown {
  const found = process.getBuiltinModule(id)
  if (found === undefined) throw Object.assign(new Error(`Cannot find module '${id}'`), { code: 'MODULE_NOT_FOUND' })
  return found
}
