/** Runners of the npm world: every task is the `build` script of a package. They come from `npm install` in a folder of their own. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { present } from './present.ts'
import type { Runner } from './runner.ts'
import { inputs, output, type Workload } from './workload.ts'

/** Exact, so that figures of two days can be compared. bun is how turbo starts scripts: the quickest package manager it knows. */
const packages = { turbo: '2.11.11', nx: '24.0.6', wireit: '0.14.13', lage: '2.17.0', '@moonrepo/cli': '2.5.5', bun: '1.4.5' }
const folder = join(homedir(), '.cache', 'stagecraft-bench', 'peers')
const script = `cat ${inputs.join(' ')} > ${output}`

/** Installs what is missing. Their install scripts do not run by themselves: bun's puts its program in place. */
export function installPeers(say: (line: string) => void): void {
  if (existsSync(join(folder, 'node_modules', 'turbo'))) return
  say(`installing ${Object.keys(packages).join(', ')}`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: packages }))
  execFileSync('npm', ['install', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'ignore' })
  execFileSync(process.execPath, ['install.js'], { cwd: join(folder, 'node_modules', 'bun'), stdio: 'ignore' })
}

const inFolder = (...path: readonly string[]) => join(folder, 'node_modules', ...path)
const env = {
  PATH: `${inFolder('.bin')}:${process.env['PATH']}`,
  HOME: homedir(),
  NO_COLOR: '1',
  TURBO_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
  NX_DAEMON: 'false',
  MOON_SKIP_SETUP_TOOLCHAIN: 'true',
}

interface PackageOptions {
  /** Members of every package's manifest. */
  readonly member?: (needs: readonly string[]) => object
  readonly root?: object
}

/** A workspace with a package per task, in a git repository, as all of them want it. */
function writePackages(directory: string, { tasks }: Workload, { member = () => ({}), root = {} }: PackageOptions): void {
  for (const { name, needs } of tasks) {
    const dependencies = Object.fromEntries(needs.map((need) => [need, '*']))
    const manifest = { name, version: '1.0.0', scripts: { build: script }, dependencies, ...member(needs) }
    writeFileSync(join(directory, 't', name, 'package.json'), JSON.stringify(manifest))
  }
  const manifest = { name: 'bench', private: true, packageManager: `bun@${packages.bun}`, workspaces: ['t/*'], ...root }
  writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(directory, '.gitignore'), 'node_modules\nout\n.turbo\n.nx\n.wireit\n.moon/cache\n')
  symlinkSync(inFolder(), join(directory, 'node_modules'))
}

function commit(directory: string): void {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: directory, stdio: 'ignore' })
  git('init', '--quiet')
  git('add', '--all')
  git('-c', 'user.name=bench', '-c', 'user.email=bench@localhost', 'commit', '--quiet', '--message', 'bench')
}

/** Folders of this name, wherever they are, not those within them. */
function foundBy(directory: string, name: string): readonly string[] {
  const listing = execFileSync('find', [directory, '-name', name, '-type', 'd', '-prune'], {
    encoding: 'utf8',
  })
  return listing.split('\n').filter((path) => path !== '')
}

/** @param program `shim`: as npm installs it. `binary`: the Rust program itself. */
export function turbo(program: 'shim' | 'binary'): Runner {
  const start =
    program === 'shim' ? [process.execPath, inFolder('turbo', 'bin', 'turbo')] : [inFolder('@turbo', 'linux-64', 'bin', 'turbo')]
  const [file = '', ...args] = start
  return {
    name: program === 'shim' ? 'turbo, through npm' : 'turbo, its binary',
    mostTasks: 1000,
    write(directory, work) {
      writePackages(directory, work, {})
      const build = { dependsOn: ['^build'], inputs: [...inputs], outputs: [output] }
      writeFileSync(join(directory, 'turbo.json'), JSON.stringify({ tasks: { build } }))
      commit(directory)
    },
    program: (directory) => ({ file, args: [...args, 'run', 'build', '--output-logs=none', '--concurrency=2'], cwd: directory, env }),
    remembers: (directory) => present(directory, '.turbo', 'node_modules/.cache/turbo'),
  }
}

export function nx(): Runner {
  return {
    name: 'nx, no daemon',
    mostTasks: 100,
    write(directory, work) {
      writePackages(directory, work, {})
      const build = {
        dependsOn: ['^build'],
        cache: true,
        inputs: inputs.map((file) => `{projectRoot}/${file}`),
        outputs: [`{projectRoot}/${output}`],
      }
      writeFileSync(
        join(directory, 'nx.json'),
        JSON.stringify({ targetDefaults: { build }, parallel: 2, analytics: false, cacheDirectory: '.nx/cache' }),
      )
      commit(directory)
    },
    program: (directory) => ({
      file: inFolder('.bin', 'nx'),
      args: ['run-many', '-t', 'build', '--outputStyle=static'],
      cwd: directory,
      env,
    }),
    remembers: (directory) => present(directory, '.nx'),
  }
}

export function wireit(): Runner {
  return {
    name: 'wireit',
    mostTasks: 100,
    write(directory, work) {
      writePackages(directory, work, {
        member: (needs) => ({
          scripts: { build: 'wireit' },
          wireit: {
            build: { command: script, files: [...inputs], output: [output], dependencies: needs.map((need) => `../${need}:build`) },
          },
        }),
        root: {
          packageManager: 'npm@11.0.0',
          scripts: { all: 'wireit' },
          wireit: { all: { dependencies: work.tasks.map(({ name }) => `./t/${name}:build`) } },
        },
      })
      commit(directory)
    },
    program: (directory) => ({
      file: 'npm',
      args: ['run', '--silent', 'all'],
      cwd: directory,
      env: { ...env, WIREIT_PARALLEL: '2', WIREIT_LOGGER: 'quiet' },
    }),
    remembers: (directory) => foundBy(directory, '.wireit'),
  }
}

export function lage(): Runner {
  return {
    name: 'lage',
    mostTasks: 100,
    write(directory, work) {
      writePackages(directory, work, { root: { packageManager: 'npm@11.0.0' } })
      const options = { cacheStorageConfig: { provider: 'local' }, outputGlob: [output], environmentGlob: [] }
      const config = {
        pipeline: { build: { dependsOn: ['^build'], inputs: [...inputs], outputs: [output] } },
        cacheOptions: options,
        concurrency: 2,
        npmClient: 'npm',
      }
      writeFileSync(join(directory, 'lage.config.js'), `module.exports = ${JSON.stringify(config)}\n`)
      writeFileSync(join(directory, 'package-lock.json'), JSON.stringify({ name: 'bench', lockfileVersion: 3, packages: {} }))
      commit(directory)
    },
    program: (directory) => ({ file: inFolder('.bin', 'lage'), args: ['build', '--log-level', 'error'], cwd: directory, env }),
    remembers: (directory) => [...foundBy(join(directory, 't'), 'node_modules'), ...present(directory, '.lage')],
  }
}

export function moon(): Runner {
  return {
    name: 'moon',
    mostTasks: 100,
    write(directory, work) {
      writePackages(directory, work, {})
      mkdirSync(join(directory, '.moon'), { recursive: true })
      writeFileSync(join(directory, '.moon', 'workspace.yml'), "projects: ['t/*']\nvcs: {client: git}\ntelemetry: false\n")
      for (const { name, needs } of work.tasks) {
        const build = {
          script,
          inputs: [...inputs],
          outputs: [output],
          deps: needs.map((need) => `${need}:build`),
          options: { runFromWorkspaceRoot: false },
        }
        writeFileSync(join(directory, 't', name, 'moon.yml'), JSON.stringify({ dependsOn: needs, tasks: { build } }))
      }
      commit(directory)
    },
    program: (directory) => ({
      file: inFolder('.bin', 'moon'),
      args: ['run', ':build', '--concurrency', '2', '--quiet'],
      cwd: directory,
      env,
    }),
    remembers: (directory) => present(directory, '.moon/cache'),
  }
}
