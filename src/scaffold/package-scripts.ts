/** Which tasks a `package.json` suggests. Pure. */
import { builtInTargets } from '../config/built-in-names.ts'

/** What `init` reads of a `package.json` and of what lies beside it. */
export interface PackageFile {
  /** Script name → command, in the order of the file. */
  readonly scripts: Readonly<Record<string, string>>
  /** Globs of folders with packages of their own. */
  readonly workspaces: readonly string[]
}

export interface SuggestedTask {
  readonly name: string
  readonly command: readonly string[]
  /** The script it runs, where that has another name. */
  readonly script?: string
  readonly inputs?: readonly string[]
  readonly outputs?: readonly string[]
  /** It does not end by itself. */
  readonly keepsRunning: boolean
}

interface PackageManager {
  readonly lockFile: string
  readonly install: readonly string[]
  readonly run: readonly string[]
}

const managers: readonly PackageManager[] = [
  { lockFile: 'package-lock.json', install: ['npm', 'ci'], run: ['npm', 'run'] },
  { lockFile: 'pnpm-lock.yaml', install: ['pnpm', 'install', '--frozen-lockfile'], run: ['pnpm', 'run'] },
  { lockFile: 'yarn.lock', install: ['yarn', 'install', '--frozen-lockfile'], run: ['yarn', 'run'] },
  { lockFile: 'bun.lock', install: ['bun', 'install', '--frozen-lockfile'], run: ['bun', 'run'] },
]

/** The package manager starts these itself. */
const startedByItself = /^(pre|post)?(install|publish|pack|version|prepare|uninstall|shrinkwrap)$|^(prepublishOnly|dependencies)$/
const keepsRunning = /(^|[:._-])(dev|develop|start|serve|watch|preview|storybook)([:._-]|$)/

/** A task for installing, where a lock file says exactly what, and one for each script a person would start. */
export function suggestTasks(found: PackageFile, namesInFolder: readonly string[]): readonly SuggestedTask[] {
  const manager = managers.find(({ lockFile }) => namesInFolder.includes(lockFile))
  const { run } = manager ?? { run: ['npm', 'run'] }
  const scripts = Object.keys(found.scripts).filter((name) => !startedByItself.test(name) && !isHook(name, found.scripts))
  const tasks = scripts.map((script): SuggestedTask => {
    const name = taskName(script)
    return { name, command: [...run, script], ...(name === script ? {} : { script }), keepsRunning: keepsRunning.test(script) }
  })
  const install = manager ? [installTask(manager, found.workspaces)] : []
  return [...new Map([...install, ...tasks].map((task) => [task.name, task] as const)).values()]
}

function installTask({ install, lockFile }: PackageManager, workspaces: readonly string[]): SuggestedTask {
  return {
    name: 'install',
    command: install,
    inputs: ['package.json', lockFile, ...workspaces.map((folder) => `${folder}/package.json`)],
    outputs: ['node_modules/**', ...workspaces.map((folder) => `${folder}/node_modules/**`)],
    keepsRunning: false,
  }
}

/** `pretest` runs with `test`, as part of it. */
function isHook(name: string, scripts: PackageFile['scripts']): boolean {
  const hooked = /^(?:pre|post)(.+)$/.exec(name)?.[1]
  return hooked !== undefined && Object.hasOwn(scripts, hooked)
}

/** Beside environments, `build` and its like mean the built-in targets. */
export function besideBuiltIn(task: SuggestedTask): SuggestedTask {
  return Object.hasOwn(builtInTargets, task.name) ? { ...task, name: `${task.name}-app`, script: task.script ?? task.name } : task
}

/** `test:unit` → `test-unit`: with a colon it would be an id. */
function taskName(script: string): string {
  const plain = script.replace(/[^A-Za-z0-9._/-]+/g, '-').replace(/^[^A-Za-z0-9]+|-+$/g, '') || 'script'
  return plain === 'install' ? `${plain}-app` : plain
}
