/** A real process around `main` whose only command waits to be stopped: `clean` cleans up, `stuck` never does, `lines` writes without end. */
import { z } from 'zod'
import { runProcess } from '../../src/cli/process.ts'
import { type App, type ExitCode, exitCodes } from '../../src/contracts.ts'

const aborted = (app: App) => new Promise<void>((resolve) => app.signal.addEventListener('abort', () => resolve()))
const alive = () => setInterval(() => undefined, 60_000)

async function clean(app: App): Promise<ExitCode> {
  const timer = alive()
  app.stdout.write('ready\n')
  await aborted(app)
  clearInterval(timer)
  app.stdout.write('cleaned up\n')
  return exitCodes.world
}

async function stuck(app: App): Promise<ExitCode> {
  alive()
  app.stdout.write('ready\n')
  return new Promise(() => undefined)
}

async function lines(app: App): Promise<ExitCode> {
  for (let line = 0; line < 2000; line++) app.stdout.write(`${'x'.repeat(200)}\n`)
  await new Promise((resolve) => setImmediate(resolve))
  app.stderr.write('finished\n')
  return exitCodes.done
}

async function stray(app: App): Promise<ExitCode> {
  const timer = alive()
  setImmediate(() => {
    throw new Error('nobody waits for me')
  })
  await aborted(app)
  clearInterval(timer)
  app.stdout.write('cleaned up\n')
  return exitCodes.done
}

const runs = { clean, stuck, lines, stray }
await runProcess(
  Object.fromEntries(
    Object.entries(runs).map(([name, run]) => {
      const module = {
        summary: name,
        feature: 'CLI_SAMPLE',
        options: z.strictObject({}),
        run: (_: unknown, __: unknown, app: App) => run(app),
      }
      return [name, { summary: name, group: 'other' as const, load: async () => module }]
    }),
  ),
)
