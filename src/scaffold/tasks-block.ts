/** The part of a new manifest that is about tasks. Pure. */
import type { SuggestedTask } from './package-scripts.ts'
import { scalar } from './scalar.ts'

/** @param isAll whether the manifest is about nothing else: then an example stands for tasks that were not found. */
export function tasksBlock(tasks: readonly SuggestedTask[], isAll: boolean): readonly string[][] {
  if (tasks.length === 0) return isAll ? [example] : []
  const ending = tasks.filter(({ keepsRunning }) => !keepsRunning)
  const running = tasks.filter(({ keepsRunning }) => keepsRunning)
  const hasInstall = ending.some(({ name, inputs }) => name === 'install' && inputs !== undefined)
  const own = ending.filter(({ inputs }) => inputs === undefined)
  return [
    [
      ...intro,
      ...(ending.length === 0 ? ['tasks: {}'] : ['tasks:', ...ending.flatMap((task) => taskLines(task, hasInstall))]),
      ...serviceLines(running),
    ],
    pipelineLines(own),
  ]
}

const intro = [
  '# Scripts of package.json. A task that says what it reads is skipped while that is unchanged; without `inputs` it runs every time.',
]

const example = [
  '# tasks:',
  '#   compile:',
  '#     command: make all        # or a list: [cc, -o, app, main.c]',
  '#     inputs: ["src/**"]       # what it reads: while that is unchanged, it is skipped; without, it runs every time',
  '#     outputs: ["build/**"]    # what it writes: kept, and put back',
  '#   test:',
  '#     command: make check',
  '#     needs: [compile]',
  '#     inputs: ["test/**"]',
  '#',
  '# pipelines:',
  '#   ci: [compile, test]',
]

function taskLines({ name, command, script, inputs, outputs }: SuggestedTask, hasInstall: boolean): string[] {
  const note = script === undefined ? '' : `  # script ${JSON.stringify(script)}`
  const lines = [`  ${scalar(name)}:${note}`, `    command: ${list(command)}`]
  if (inputs !== undefined) return [...lines, `    inputs: ${list(inputs)}`, `    outputs: ${list(outputs ?? [])}`, '    pass_env: [HOME]']
  return [...lines, ...(hasInstall ? ['    needs: [install]'] : []), '    # inputs: ["src/**"]', '    # outputs: ["dist/**"]']
}

function serviceLines(tasks: readonly SuggestedTask[]): string[] {
  if (tasks.length === 0) return []
  return [
    '  # These keep running. As a `service`, a task starts for whoever needs it, and is stopped after:',
    ...tasks.flatMap(({ name, command }) => [
      `  # ${scalar(name)}:`,
      `  #   command: ${list(command)}`,
      '  #   service: { ready: { http: "http://127.0.0.1:3000" } }',
    ]),
  ]
}

/** What people let CI run, by the names they give it. */
const inPipeline = /^(lint|check|typecheck|type-check|types|test|unit|e2e|build|build-app|compile)([-._].+)?$/

function pipelineLines(tasks: readonly SuggestedTask[]): string[] {
  const names = tasks.map(({ name }) => name).filter((name) => inPipeline.test(name))
  // A script of that name is a task already.
  return names.length < 2 || tasks.some(({ name }) => name === 'ci') ? [] : ['pipelines:', `  ci: ${list(names)}`]
}

function list(words: readonly string[]): string {
  return `[${words.map(word).join(', ')}]`
}

/** Globs are quoted: a `*` at the beginning means something else to YAML, and so do brackets within a list. */
function word(text: string): string {
  return /[*?{}[\],]/.test(text) ? JSON.stringify(text) : scalar(text)
}
