import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { colorFlag } from '../../../src/cli/color-flag.ts'
import { renderDuration } from '../../../src/ui/duration.ts'
import { createPaint } from '../../../src/ui/paint.ts'
import { decideColor, printable } from '../../../src/ui/terminal.ts'

const test = suite('src/ui/terminal')

const decisions: [boolean | undefined, Record<string, string>, boolean, boolean][] = [
  [undefined, {}, true, true],
  [undefined, {}, false, false],
  [undefined, { TERM: 'dumb' }, true, false],
  [undefined, { NO_COLOR: '1' }, true, false],
  [undefined, { NO_COLOR: '' }, true, true],
  [undefined, { FORCE_COLOR: '1' }, false, true],
  [undefined, { FORCE_COLOR: '' }, false, true],
  [undefined, { FORCE_COLOR: '0' }, true, false],
  [undefined, { FORCE_COLOR: '1', NO_COLOR: '1' }, true, false],
  [true, { NO_COLOR: '1' }, false, true],
  [false, { FORCE_COLOR: '1' }, true, false],
]
for (const [flag, env, isTTY, expected] of decisions) {
  test(`color is ${expected} with flag ${flag}, ${JSON.stringify(env)}, terminal ${isTTY}`, () => {
    assert.is(decideColor(flag, env, { isTTY }), expected)
  })
}

test('the last color flag before -- counts', () => {
  assert.is(colorFlag(['deploy']), undefined)
  assert.is(colorFlag(['--color', 'deploy', '--no-color']), false)
  assert.is(colorFlag(['--no-color=false']), true)
  assert.is(colorFlag(['--color=0']), false)
  assert.is(colorFlag(['--color', '--', '--no-color']), true)
})

test('paint leaves text alone without color', () => {
  assert.is(createPaint(false).red('x'), 'x')
  assert.is(createPaint(true).red('x'), '\u001b[31mx\u001b[39m')
})

test('lines of others are made safe to print', () => {
  assert.is(printable('\u001b]0;title\u0007\u001b[2J\u001b[31mred\u001b[0m'), 'red')
  assert.is(printable('10%\r50%\r100%\r\n'), '100%')
  assert.is(printable('a\tb\u0000c'), 'a  bc')
})

const durations: [number, string][] = [
  [0, '0ms'],
  [-3, '0ms'],
  [42.4, '42ms'],
  [100, '0.1s'],
  [3249, '3.2s'],
  [59_949, '59.9s'],
  [59_950, '1m 00s'],
  [64_000, '1m 04s'],
  [3_599_400, '59m 59s'],
  [3_600_000, '1h 00m'],
  [7_500_000, '2h 05m'],
]
for (const [durationMs, expected] of durations) {
  test(`${durationMs} ms are ${expected}`, () => assert.is(renderDuration(durationMs), expected))
}

test.run()
