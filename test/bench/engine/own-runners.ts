/** Ourselves, the floor, and the two classics. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { present } from './present.ts'
import type { Runner } from './runner.ts'
import { inputs, output, type WorkTask } from './workload.ts'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const environment = { PATH: process.env['PATH'], HOME: process.env['HOME'], NO_COLOR: '1' }

/** What every runner is given to run: a command line for a shell, in the project's folder. */
export function commandOf({ name }: WorkTask, seconds = 0): string {
  const wait = seconds === 0 ? '' : `sleep ${seconds}; `
  return `${wait}cat ${inputs.map((file) => `t/${name}/${file}`).join(' ')} > t/${name}/${output}`
}

/** @param seconds every command takes this long besides. */
export function stagecraft(seconds = 0): Runner {
  return {
    name: 'stagecraft',
    mostTasks: 20_000,
    write(directory, { tasks }) {
      const lines = tasks.flatMap((task) => [
        `  ${task.name}:`,
        `    command: ${JSON.stringify(commandOf(task, seconds))}`,
        `    inputs: [${inputs.map((file) => `t/${task.name}/${file}`).join(', ')}]`,
        `    outputs: [t/${task.name}/${output}]`,
        ...(task.needs.length === 0 ? [] : [`    needs: [${task.needs.join(', ')}]`]),
      ])
      const all = `pipelines:\n  all: [${tasks.map(({ name }) => name).join(', ')}]\n`
      writeFileSync(join(directory, 'stagecraft.yml'), `project: {name: bench}\ntasks:\n${lines.join('\n')}\n${all}`)
    },
    program: (directory) => ({
      file: process.execPath,
      args: [join(root, 'bin', 'stagecraft.js'), 'run', 'all'],
      cwd: directory,
      env: environment,
    }),
    remembers: (directory) => present(directory, '.stagecraft'),
  }
}

export function floor(seconds = 0): Runner {
  return {
    name: 'floor program',
    mostTasks: 20_000,
    write(directory, { tasks }) {
      const all = tasks.map((task) => ({
        name: task.name,
        needs: task.needs,
        inputs: inputs.map((file) => `t/${task.name}/${file}`),
        output: `t/${task.name}/${output}`,
        command: ['sh', '-c', commandOf(task, seconds)],
      }))
      writeFileSync(join(directory, 'floor.json'), JSON.stringify(all))
    },
    program: (directory) => ({
      file: process.execPath,
      args: [join(root, 'test', 'bench', 'engine', 'floor.cjs')],
      cwd: directory,
      env: environment,
    }),
    remembers: (directory) => present(directory, 'floor.state'),
  }
}

/** Times are all that make goes by: an edit runs the whole cone. */
export function make(seconds = 0): Runner {
  return {
    name: 'make -j2',
    mostTasks: 20_000,
    write(directory, { tasks }) {
      const outputs = tasks.map(({ name }) => `t/${name}/${output}`)
      const rules = tasks.map((task) => {
        const from = [...inputs.map((file) => `t/${task.name}/${file}`), ...task.needs.map((need) => `t/${need}/${output}`)]
        return `t/${task.name}/${output}: ${from.join(' ')}\n\t@${commandOf(task, seconds)}\n`
      })
      writeFileSync(join(directory, 'Makefile'), `MAKEFLAGS += -r\nall: ${outputs.join(' ')}\n.PHONY: all\n.SUFFIXES:\n${rules.join('')}`)
    },
    program: (directory) => ({ file: 'make', args: ['-s', '-j2', 'all'], cwd: directory, env: environment }),
    remembers: () => [],
  }
}

export function ninja(seconds = 0): Runner {
  return {
    name: 'ninja -j2',
    mostTasks: 20_000,
    write(directory, { tasks }) {
      const rules = tasks.map((task) => {
        const from = [...inputs.map((file) => `t/${task.name}/${file}`), ...task.needs.map((need) => `t/${need}/${output}`)]
        return `build t/${task.name}/${output}: run ${from.join(' ')}\n  cmd = ${commandOf(task, seconds)}\n`
      })
      writeFileSync(join(directory, 'build.ninja'), `rule run\n  command = $cmd\n${rules.join('')}`)
    },
    program: (directory) => ({ file: 'ninja', args: ['-j2', '--quiet'], cwd: directory, env: environment }),
    remembers: (directory) => present(directory, '.ninja_log', '.ninja_deps'),
  }
}
