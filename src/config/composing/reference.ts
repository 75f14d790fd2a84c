/** The files that a Compose file names: `extends.file` and `include`. */
import { dirname, join, relative, resolve, sep } from 'node:path'
import type { Checked, Diagnostic, Location } from '../../../graph/types.ts'
import { variableNames } from '../../../tasks/rendering/template.ts'
import { problem } from '../diagnostic.ts'
import { readSource } from '../read-source.ts'
import { parseYaml } from '../yaml-tree.ts'
import { cleared, type Sourced, sourced } from './sourced.ts'

/** One file, as it is written. */
export interface ComposeDocument {
  /** Absolute. */
  readonly path: string
  readonly root: Sourced
  /** What it takes away from files below it. */
  readonly clear: (lower: Sourced) => Sourced
}

/** Finds every problem of one file that can be seen in it alone. */
export type CheckDocument = (tree: NonNullable<ReturnType<typeof parseYaml>['tree']>) => Promise<readonly Diagnostic[]>

/** Reads each file once, and remembers which. */
export interface Library {
  /** Absolute paths of everything that was asked for but the main file, whether it could be read or not. */
  readonly others: ReadonlySet<string>
  readonly report: (...diagnostics: readonly Diagnostic[]) => void
  /** Undefined when it cannot be read, which is reported, as is all else that is wrong with it. `from` is where it is named; the main file is named nowhere. */
  document(path: string, from?: Location): Promise<ComposeDocument | undefined>
  /** Another file's text, reported in the same way. */
  text(path: string, from: Location): Promise<string | undefined>
  /** The absolute path that a text stands for; undefined, and reported, when a deployment cannot be made to depend on it. */
  locate(text: string, directory: string, from: Location): string | undefined
}

interface LibraryOptions {
  readonly path: string
  readonly shownAs: string
  readonly projectDirectory: string
  /** The main file's, when it is not to be read. */
  readonly mainText?: string
  readonly whenAbsent: Parameters<typeof readSource>[2]
  readonly check: CheckDocument
  readonly report: Library['report']
}

export function createLibrary({ path: main, shownAs, projectDirectory, mainText, whenAbsent, check, report }: LibraryOptions): Library {
  const documents = new Map<string, Promise<ComposeDocument | undefined>>()
  const others = new Set<string>()
  const shown = (path: string) => (path === main ? shownAs : join(dirname(shownAs), relative(dirname(main), path)))

  async function read(path: string, from: Location | undefined): Promise<Checked<string>> {
    if (path === main && mainText !== undefined) return { ok: true, value: mainText }
    if (path !== main) others.add(path)
    const text = await readSource(path, shown(path), path === main ? whenAbsent : async () => [])
    if (text.ok || from === undefined) return text
    return { ok: false, diagnostics: text.diagnostics.map((diagnostic) => ({ ...diagnostic, location: from })) }
  }

  async function load(path: string, from: Location | undefined): Promise<ComposeDocument | undefined> {
    const text = await read(path, from)
    if (!text.ok) {
      report(...text.diagnostics)
      return undefined
    }
    const { tree, problems } = parseYaml(text.value, shown(path), { tags: true })
    report(...problems)
    if (!tree) return undefined
    report(...(await check(tree)))
    const clear = (lower: Sourced) => tree.cleared.reduce((node, at) => cleared(node, at), lower)
    return { path, root: sourced(tree.value, tree.places), clear }
  }

  return {
    others,
    report,
    document(path, from) {
      const known = documents.get(path) ?? load(path, from)
      documents.set(path, known)
      return known
    },
    async text(path, from) {
      const text = await read(path, from)
      if (text.ok) return text.value
      report(...text.diagnostics)
      return undefined
    },
    locate(text, directory, from) {
      const refuse = (code: Diagnostic['code'], message: string, note: string) => {
        report(problem(code, message, from, { notes: [{ message: note }] }))
        return undefined
      }
      if (variableNames(text).length > 0)
        return refuse(
          'SC1091',
          `\`${text}\` is a file whose name needs a variable`,
          'which files make a deployment must be known before it',
        )
      if (/^[a-z][a-z0-9+.-]*:\/\/|^(git|oci)[@:]|^github\.com\//.test(text))
        return refuse('SC1091', `\`${text}\` is not on this machine`, 'put a copy into the project, where its changes can be seen')
      const path = resolve(directory, text)
      const inside = relative(projectDirectory, path)
      if (inside === '..' || inside.startsWith(`..${sep}`))
        return refuse('SC1036', `\`${text}\` is outside the project`, `the project is the folder of its \`stagecraft.yml\``)
      return path
    },
  }
}
