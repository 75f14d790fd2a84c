import { execFileSync } from 'node:child_process'
import type { Program } from '../measure.ts'

/** Most memory that any one process of a program held at once, in MiB: `ru_maxrss` of its children, which Python can ask for. */
export function peakMemoryMiB({ file, args, cwd, env }: Program): number {
  const ask = [
    'import resource, subprocess, sys',
    'subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)',
    'print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)',
  ]
  const options = { encoding: 'utf8', env, ...(cwd === undefined ? {} : { cwd }) } as const
  return Math.round(Number(execFileSync('python3', ['-c', ask.join('\n'), file, ...args], options)) / 1024)
}
