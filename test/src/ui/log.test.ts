import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createLogger, type LogLevel, logLevel } from '../../../src/ui/log.ts'
import { CapturedStream } from '../../support/captured-stream.ts'

const test = suite('src/ui/log')

function logger(level: LogLevel, redact = (text: string) => text) {
  const stream = new CapturedStream()
  return { log: createLogger({ stream, level, redact }), stream }
}

const levels: [LogLevel, string][] = [
  ['debug', 'DEBUG: a\nINFO: b\nWARN: c\nERROR: d\n'],
  ['info', 'INFO: b\nWARN: c\nERROR: d\n'],
  ['warn', 'WARN: c\nERROR: d\n'],
  ['error', 'ERROR: d\n'],
]
for (const [level, expected] of levels) {
  test(`level ${level} lets through what is at least as grave`, () => {
    const { log, stream } = logger(level)
    log.debug('a')
    log.info('b')
    log.warn('c')
    log.error('d')
    assert.is(stream.text, expected)
  })
}

test('fields are sorted by key, and quoted where a reader could mistake them', () => {
  const { log, stream } = logger('info')
  log.info('pushed', { service: 'api', bytes: 12, note: 'a b', list: ['x'], none: undefined })
  assert.is(stream.text, 'INFO: pushed (bytes=12, list=["x"], note="a b", service=api)\n')
})

test('derived loggers add to their fields, share nothing, and yield to the call', () => {
  const { log, stream } = logger('info')
  const base = log.withFields({ host: 'node-1', try: 1 })
  base.withFields({ task: 'x' }).info('a')
  base.info('b', { try: 2 })
  base.info('c')
  log.info('d')
  assert.is(stream.text, 'INFO: a (host=node-1, task=x, try=1)\nINFO: b (host=node-1, try=2)\nINFO: c (host=node-1, try=1)\nINFO: d\n')
})

test('redaction sees the whole line, message and fields', () => {
  const { log, stream } = logger('info', (text) => text.replaceAll('hunter2', '***'))
  log.info('with hunter2', { password: 'hunter2' })
  assert.is(stream.text, 'INFO: with *** (password=***)\n')
})

test('--quiet outranks --verbose', () => {
  assert.equal([logLevel({ quiet: true, verbose: true }), logLevel({ quiet: false, verbose: true })], ['error', 'debug'])
  assert.is(logLevel({ quiet: false, verbose: false }), 'info')
})

test.run()
