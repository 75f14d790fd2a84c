import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { basename, delimiter, dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import type { Checked } from '../../graph/types.ts'
import { type ComposeFile, loadCompose, parseCompose } from '../config/compose-file.ts'
import type { LoadedConfig } from '../config/config.ts'
import { problem } from '../config/diagnostic.ts'
import { loadConfig, parseConfig } from '../config/load.ts'
import { type App, type ExitCode, exitCodes, type GlobalOptions, InputError } from '../contracts.ts'
import { builtInProviders } from '../providers/built-in.ts'
import { askPlan } from '../scaffold/ask-plan.ts'
import { detect } from '../scaffold/detect.ts'
import { composeNameIn, readListing } from '../scaffold/listing.ts'
import { type ManifestPlan, renderManifest, schemaFile } from '../scaffold/manifest.ts'
import { renderMinimalCompose } from '../scaffold/minimal-compose.ts'
import { canAsk, openQuestions, type Questions } from '../scaffold/questions.ts'
import { createFile, ignoreFolder, keepFile, replaceKeepingCopy } from '../scaffold/write.ts'

export const summary = 'write a stagecraft.yml for this project, or check the one that is there'
export const feature = 'CLI_INIT'
export const options = z.strictObject({
  projectName: z.string().optional().describe('name of the project; default from the folder').meta({ value: '<name>' }),
  host: z.string().optional().describe('server to deploy to, as [user@]address[:port]').meta({ value: '<host>' }),
  withCompose: z.boolean().default(false).describe('without a Compose file, write one that builds the Dockerfile'),
  nonInteractive: z.boolean().default(false).describe('ask nothing'),
  force: z.boolean().default(false).describe('write a new manifest and keep the old one as .bak'),
})
export const examples = ['stagecraft init', 'stagecraft init --dry-run', 'stagecraft init --host deploy@203.0.113.7 --non-interactive']

type Input = z.output<typeof options>

/** A Compose file, and its text when it does not exist yet. */
interface Compose {
  readonly file: ComposeFile
  readonly newText?: string
}

/** Writes what is missing and nothing else. @throws InputError, and TaskFailure when a file cannot be written. */
export async function run(input: Input, globals: GlobalOptions, app: App): Promise<ExitCode> {
  const path = resolve(app.cwd, globals.config)
  const directory = dirname(path)
  const exists = statSync(path, { throwIfNoEntry: false }) !== undefined
  if (exists && !input.force) {
    const loaded = await checked(loadConfig(path, { shownAs: globals.config }))
    if (!globals.dryRun && readFileSync(path, 'utf8').includes(`$schema=${schemaFile}`)) await writeSchema(directory)
    return describe(loaded, app)
  }
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    throw new InputError([problem('SC1001', `the folder of \`${globals.config}\` does not exist`)])
  }
  const questions = input.nonInteractive || globals.dryRun || !canAsk(app) ? undefined : openQuestions(app)
  try {
    const compose = await composeOf(directory, input, globals, questions)
    const name = compose && basename(compose.file.path)
    const detected = detect(readListing(directory, compose && { name: basename(compose.file.path), services: compose.file.services }))
    const plan = await askPlan(detected, name, { projectName: input.projectName, environment: globals.env, host: input.host }, questions)
    const manifest = renderManifest(plan)
    await checked(parseConfig(manifest, path, { shownAs: globals.config }))
    if (globals.dryRun) {
      app.stdout.write(compose?.newText === undefined ? manifest : `${manifest}---\n# ${name}\n${compose.newText}`)
      return exitCodes.done
    }
    if (compose?.newText !== undefined) {
      await createFile(compose.file.path, compose.newText)
      app.stdout.write(`wrote ${name}\n`)
    }
    const copy = exists ? await replaceKeepingCopy(path, manifest) : await createFile(path, manifest)
    app.stdout.write(`wrote ${globals.config}${copy === undefined ? '' : `, the old one is ${basename(copy)}`}\n`)
    await writeSchema(directory)
    if (await ignoreFolder(join(directory, '.gitignore'))) app.stdout.write('wrote .gitignore\n')
    if (!globals.quiet) app.stderr.write(advice(plan, manifest, globals.config, app))
    return exitCodes.done
  } finally {
    questions?.close()
  }
}

/** For editors, that of this version: the line at the head of the manifest leads to it. @throws TaskFailure. */
async function writeSchema(directory: string): Promise<void> {
  const { manifestSchemaText } = await import('../config/manifest-json-schema.ts')
  await keepFile(join(directory, schemaFile), manifestSchemaText(builtInProviders()))
}

/** @throws InputError with everything that is wrong. */
async function checked<T>(result: Checked<T> | Promise<Checked<T>>): Promise<T> {
  const settled = await result
  if (!settled.ok) throw new InputError(settled.diagnostics)
  return settled.value
}

/** @returns undefined when nothing here can be deployed: then the manifest is about tasks. */
async function composeOf(
  directory: string,
  input: Input,
  globals: GlobalOptions,
  questions: Questions | undefined,
): Promise<Compose | undefined> {
  const present = composeNameIn(directory)
  if (present !== undefined) return { file: await checked(loadCompose(join(directory, present), { shownAs: present })) }
  const { dockerfile, packageFile } = readListing(directory, undefined)
  const isToDeploy = input.host !== undefined || input.withCompose || globals.env !== undefined
  if (dockerfile === undefined) {
    if (!isToDeploy) return undefined
    const notes = [
      { message: 'services, their images and ports are read from it: write a `docker-compose.yml`, and run `stagecraft init` again' },
    ]
    throw new InputError([problem('SC1070', 'there is neither a Compose file nor a Dockerfile here', undefined, { notes })])
  }
  const name = 'docker-compose.yml'
  const text = renderMinimalCompose(dockerfile)
  const wanted =
    input.withCompose || (await questions?.confirm(`There is a Dockerfile but no Compose file. Write a ${name} that builds it?`))
  if (wanted) return { file: await checked(parseCompose(text, join(directory, name), { shownAs: name })), newText: text }
  if (packageFile !== undefined && !isToDeploy) return undefined
  const notes = [{ message: `\`stagecraft init --with-compose\` writes a \`${name}\` that builds the Dockerfile` }]
  throw new InputError([problem('SC1070', 'there is a Dockerfile but no Compose file here', undefined, { notes })])
}

function describe({ config, file }: LoadedConfig, app: App): ExitCode {
  const parts = [
    named('environment', Object.keys(config.environments)),
    named('task', Object.keys(config.tasks)),
    named('pipeline', Object.keys(config.pipelines)),
  ]
  app.stdout.write(`${file} is valid: ${[`project ${config.project.name}`, ...parts.filter((part) => part !== '')].join(', ')}\n`)
  return exitCodes.done
}

function named(what: string, names: readonly string[]): string {
  return names.length === 0 ? '' : `${what}${names.length === 1 ? '' : 's'} ${[...names].sort().join(' ')}`
}

function advice({ environment, composeFile, detected }: ManifestPlan, manifest: string, file: string, app: App): string {
  const hints = [...detected.hints]
  if (detected.services.some((service) => service.isBuilt) && !isOnPath('docker', app)) {
    hints.push('`docker` was not found on this machine: building images needs it')
  }
  const deploying = [
    ...(manifest.includes('REPLACE:', manifest.indexOf('\nproject:')) ? [`replace what is marked REPLACE in ${file}`] : []),
    `stagecraft plan --env ${environment}    shows what would be done, and does nothing`,
    `stagecraft deploy --env ${environment}`,
  ]
  const steps = composeFile === undefined ? tasksAdvice(detected, file) : deploying
  const lines = [...hints.map((hint) => `note: ${hint}`), 'next:', ...steps.map((step, index) => `  ${index + 1}. ${step}`)]
  return `${lines.join('\n')}\n`
}

function tasksAdvice({ tasks }: ManifestPlan['detected'], file: string): readonly string[] {
  const first = tasks.find(({ name, keepsRunning }) => name !== 'install' && !keepsRunning)
  if (!first) return [`write tasks into ${file}; the example in it shows how`, 'stagecraft run <name>']
  return [`say in ${file} what each task reads and writes: \`inputs\`, \`outputs\``, `stagecraft run ${first.name}`]
}

function isOnPath(program: string, app: App): boolean {
  return (app.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
