/** What other task runners call things: the word of ours, where nobody could have mistyped it. */
import type { JsonPath } from './json-path.ts'

const ofTask: Readonly<Record<string, readonly string[]>> = {
  command: ['cmd', 'cmds', 'commands', 'run', 'script', 'scripts', 'exec', 'executor'],
  cwd: ['dir', 'directory', 'workdir', 'workingdir', 'workingdirectory', 'root'],
  inputs: ['source', 'sources', 'src', 'srcs', 'file', 'files', 'in'],
  outputs: ['generates', 'out', 'outs', 'artifacts', 'products', 'targets'],
  env: ['environment', 'envs', 'envvars'],
  pass_env: ['passthroughenv', 'passthrough'],
  variables: ['vars', 'values'],
  needs: ['dependson', 'depends', 'deps', 'dependencies', 'requires', 'prerequisites'],
  after: ['runafter', 'waitfor', 'order'],
  pool: ['concurrency', 'mutex', 'resource', 'resources', 'group'],
  retries: ['retry', 'retrycount', 'attempts'],
  timeout: ['timeoutminutes', 'timeoutms', 'timeoutseconds'],
  service: ['persistent', 'background', 'longrunning', 'daemon', 'server'],
}

const ofManifest: Readonly<Record<string, readonly string[]>> = {
  tasks: ['scripts', 'jobs', 'targets', 'rules'],
  pipelines: ['workflows', 'stages'],
}

/** @param at of the map that holds the key. @returns what to write instead. */
export function foreignWord(key: string, at: JsonPath): string | undefined {
  const words = at.length === 0 ? ofManifest : at.length === 2 && at[0] === 'tasks' ? ofTask : {}
  const plain = key.toLowerCase().replace(/[-_ ]/g, '')
  return Object.entries(words).find(([, foreign]) => foreign.includes(plain))?.[0]
}
