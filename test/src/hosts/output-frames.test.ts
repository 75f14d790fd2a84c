import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { OutputFrames } from '../../../src/hosts/output-frames.ts'

const test = suite('src/hosts/output-frames')

function frame(stream: 'stdout' | 'stderr', bytes: Uint8Array): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt8(stream === 'stdout' ? 1 : 2, 0)
  header.writeUInt32BE(bytes.length, 4)
  return Buffer.concat([header, bytes])
}

test('however the bytes are cut, each stream is whole', () => {
  const pieces = fc.array(fc.tuple(fc.constantFrom('stdout' as const, 'stderr' as const), fc.uint8Array({ maxLength: 40 })))
  fc.assert(
    fc.property(pieces, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (given, cuts) => {
      const all = Buffer.concat(given.map(([stream, bytes]) => frame(stream, bytes)))
      const frames = new OutputFrames()
      const seen = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) }
      for (let at = 0, turn = 0; at < all.length; turn++) {
        const size = cuts[turn % cuts.length] ?? 1
        for (const { stream, bytes } of frames.take(all.subarray(at, at + size))) seen[stream] = Buffer.concat([seen[stream], bytes])
        at += size
      }
      for (const name of ['stdout', 'stderr'] as const) {
        const whole = Buffer.concat(given.filter(([stream]) => stream === name).map(([, bytes]) => Buffer.from(bytes)))
        assert.equal(seen[name].toString('hex'), whole.toString('hex'))
      }
    }),
  )
})

test('what is there of a frame is given on at once', () => {
  const frames = new OutputFrames()
  const bytes = frame('stderr', Buffer.from('prompt> and more'))
  assert.equal(
    frames.take(bytes.subarray(0, 16)).map((piece) => `${piece.stream} ${piece.bytes}`),
    ['stderr prompt> '],
  )
})

test.run()
