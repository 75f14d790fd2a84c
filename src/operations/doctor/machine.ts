/** What this machine needs for a deploy. */
import { TaskFailure } from '../../../tasks/kind.ts'
import type { Exit } from '../../../tasks/ports.ts'
import type { RunProcess } from '../../hosts/process.ts'
import { type Check, Checks, isAtLeast } from './check.ts'

export interface MachineOptions {
  readonly run: RunProcess
  readonly nodeVersion: string
  readonly signal: AbortSignal
  /** Images are built here. */
  readonly builds: boolean
}

const leastNode = '20.19'
const leastBuildx = '0.10'
const timeoutMs = 15_000

export async function checkMachine(options: MachineOptions): Promise<readonly Check[]> {
  const { builds, nodeVersion } = options
  const checks = new Checks('this machine')
  const [git, docker, buildx] = await Promise.all([
    output(['git', '--version'], options),
    builds ? output(['docker', 'version', '--format', '{{.Client.Version}} {{.Server.Version}}'], options) : undefined,
    builds ? output(['docker', 'buildx', 'version'], options) : undefined,
  ])
  if (isAtLeast(nodeVersion, leastNode)) checks.ok('node', `Node ${nodeVersion}`)
  else checks.problem('node', `Node ${nodeVersion} is older than ${leastNode}`, 'install a newer Node: https://nodejs.org')
  if (git.code === 0) checks.ok('git', git.stdout.trim())
  else checks.warn('git', 'git is not installed: a release has no version of its own', 'install git, or name versions with `--version`')
  if (docker === undefined || buildx === undefined) checks.skip('docker', 'Docker: no image is built here')
  else {
    judgeDocker(docker, checks)
    judgeBuildx(buildx, checks)
  }
  return checks.all
}

function judgeDocker({ code, stdout, stderr }: Exit, checks: Checks): void {
  const [client = '', server = ''] = stdout.trim().split(' ')
  if (code === 0) checks.ok('docker', `Docker ${server} (client ${client})`)
  else if (code === notFound) {
    checks.problem('docker', 'Docker is not installed: images are built with it', 'install it: https://docs.docker.com/engine/install/')
  } else {
    const said = lastLine(stderr) || lastLine(stdout) || `\`docker version\` ended with code ${code}`
    checks.problem('docker', `Docker does not answer: ${said}`, 'start Docker, or point DOCKER_HOST at an engine')
  }
}

function judgeBuildx({ code, stdout }: Exit, checks: Checks): void {
  const version = /\bv?(\d+\.\d+\.\d+)/.exec(stdout)?.[1]
  const remedy = 'install buildx: https://docs.docker.com/go/buildx/'
  if (code !== 0 || version === undefined) checks.problem('buildx', 'buildx is not installed: images are built with it', remedy)
  else if (isAtLeast(version, leastBuildx)) checks.ok('buildx', `buildx ${version}`)
  else checks.problem('buildx', `buildx ${version} is older than ${leastBuildx}`, remedy)
}

const notFound = 127

/** A program that cannot be started is one that is not there. */
async function output(argv: readonly [string, ...string[]], { run, signal }: MachineOptions): Promise<Exit> {
  try {
    return await run({ argv, timeoutMs }, { signal })
  } catch (error) {
    if (!(error instanceof TaskFailure) || signal.aborted) throw error
    const isSlow = error.failure.reason === 'timeout'
    return { code: isSlow ? 124 : notFound, stdout: '', stderr: error.failure.message }
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? ''
}
