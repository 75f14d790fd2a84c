/** Runs a program several times, one run after another, and says how long it took. */
import { spawn } from 'node:child_process'

export interface Program {
  readonly file: string
  readonly args: readonly string[]
  readonly cwd?: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** In milliseconds, from before the process is started until after it has ended. */
export interface Times {
  readonly median: number
  readonly min: number
  readonly max: number
}

export interface Ended {
  readonly ms: number
  readonly stdout: string
  readonly stderr: string
}

/** @throws Error with its output when the program does not end with 0. */
export function runOnce({ file, args, cwd, env }: Program): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now()
    const child = spawn(file, args, { ...(cwd === undefined ? {} : { cwd }), env, stdio: ['ignore', 'pipe', 'pipe'] })
    const output = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] += text
      })
    }
    child.on('error', reject)
    child.on('close', (code) => {
      const ended = { ms: performance.now() - startedAt, ...output }
      if (code === 0) resolve(ended)
      else reject(new Error(`${file} ${args.join(' ')} ended with ${code}:\n${output.stdout}${output.stderr}`))
    })
  })
}

export async function measure(program: Program, runs: number): Promise<Times> {
  await runOnce(program)
  const times: number[] = []
  for (let run = 0; run < runs; run++) times.push((await runOnce(program)).ms)
  return timesOf(times)
}

/** @param all at least one. */
export function timesOf(all: readonly number[]): Times {
  const sorted = [...all].sort((a, b) => a - b)
  const at = (index: number) => sorted[index] ?? Number.NaN
  return { median: at(Math.floor(sorted.length / 2)), min: at(0), max: at(sorted.length - 1) }
}

/** Has a Node process tell, at its end, how long it kept a processor busy: what elapses depends on whoever shares the machine. */
const tellBusyTime =
  "data:text/javascript,process.on('exit',()=>{const{user,system}=process.cpuUsage();process.stderr.write('\\nbusy '+(user+system))})"

/** Least processor time of several runs, in milliseconds. `program.file` is Node. */
export async function busyMs(program: Program, runs: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let run = 0; run < runs; run++) {
    const { stderr } = await runOnce({ ...program, args: ['--import', tellBusyTime, ...program.args] })
    least = Math.min(least, Number(/busy (\d+)$/.exec(stderr)?.[1]) / 1000)
  }
  return least
}
