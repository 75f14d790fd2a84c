import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { z } from 'zod'
import { type App, type ExitCode, exitCodes, type GlobalOptions, InputError } from '../contracts.ts'
import { setMaintenance } from '../session/maintenance.ts'
import { openProject } from '../session/open-project.ts'

export const summary = 'show users a page in place of a service, or the service again'
export const feature = 'CLI_MAINTENANCE'
const args = z.strictObject({ state: z.enum(['on', 'off']).describe('whether the page is shown') })

export { args as arguments }
export const options = z.strictObject({
  service: z.string().optional().describe('only this service; default every one with a route'),
  page: z.string().optional().describe('file with the page; default a short one'),
})
export const examples = [
  'stagecraft maintenance on --env prod',
  'stagecraft maintenance on --env prod --page sorry.html',
  'stagecraft maintenance off --env prod',
]

const defaultPage = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Back soon</title>
<body style="font:1.1rem/1.5 system-ui;margin:20vh auto;max-width:30rem;padding:0 1rem"><h1>Back soon</h1><p>We are working on this site. Please try again in a few minutes.</p></body></html>
`

/** Users get it with status 503 at once, on every host they reach; deploys go on behind it. */
export async function run(input: z.infer<typeof args> & z.infer<typeof options>, globals: GlobalOptions, app: App): Promise<ExitCode> {
  const page = input.state === 'off' ? undefined : await pageOf(input.page, app)
  const project = await openProject(globals, app, { targets: ['deploy'] })
  const changes = await setMaintenance(project, app, {
    page,
    ...(input.service !== undefined && { service: input.service }),
    dryRun: globals.dryRun,
  })
  const shown = input.state === 'on' ? 'shows the page' : 'serves'
  const lines = changes.map(({ service, host }) => `${service} on ${host} ${globals.dryRun ? 'would change' : shown}\n`)
  app.stdout.write(lines.length > 0 ? lines.join('') : 'nothing to do\n')
  return exitCodes.done
}

async function pageOf(path: string | undefined, app: App): Promise<string> {
  if (path === undefined) return defaultPage
  try {
    return await readFile(resolve(app.cwd, path), 'utf8')
  } catch (error) {
    const message = `the page \`${path}\` cannot be read: ${(error as Error).message}`
    throw new InputError([{ code: 'SC3142', severity: 'error', message }])
  }
}
