/**
 * The spawner: a process of ours that does nothing but start programs for another. Starting one copies the table of all memory of whoever starts it, and this
 * process has hardly any. It ends when the run that it serves does, however that ends; programs that run then are found by their cookies, as ever.
 */
import { spawn } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { programEnd } from './program-end.ts'
import type { SpawnerReply, SpawnRequest } from './spawner-protocol.ts'

/** What ends within this time is told of once. */
const atOnceMs = 5

function start({ id, argv: [file, ...args], cwd, env, output }: SpawnRequest): void {
  const ends: number[] = []
  try {
    // A reader of our own first: the run may be gone by now, and opening the other end would wait for ever.
    ends.push(openSync(output, constants.O_RDWR | constants.O_NONBLOCK))
    const writeEnd = openSync(output, constants.O_WRONLY)
    ends.push(writeEnd)
    const child = spawn(file, args, { cwd, env, detached: true, stdio: ['ignore', writeEnd, writeEnd] })
    const { pid } = child
    if (pid === undefined) child.once('error', (error) => refuse(id, error))
    else {
      let isTold = false
      const timer = setTimeout(() => {
        isTold = true
        reply({ id, pid })
      }, atOnceMs)
      child.once('exit', (code, signal) => {
        clearTimeout(timer)
        reply({ id, ...(isTold ? {} : { pid }), end: programEnd(code, signal) })
      })
    }
  } catch (error) {
    refuse(id, error)
  } finally {
    for (const end of ends) closeSync(end)
  }
}

function refuse(id: number, error: unknown): void {
  const { code = '', message } = error as NodeJS.ErrnoException
  reply({ id, code, message })
}

function reply(message: SpawnerReply): void {
  // When nobody listens any more, we are about to end too.
  process.send?.(message, undefined, {}, () => {})
}

process.on('message', (request) => start(request as SpawnRequest))
process.on('disconnect', () => process.exit())
reply({ ready: true })
