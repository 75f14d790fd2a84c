import * as assert from 'uvu/assert'

/** Fails when `promise` has not settled within `ms`: uvu has no time-outs. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`did not settle within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([promise, limit])
  } finally {
    clearTimeout(timer)
  }
}

/** `assert.throws` for promises. @returns the error, for more assertions. */
export async function rejects(promise: Promise<unknown>, expected?: RegExp): Promise<Error> {
  try {
    await promise
  } catch (error) {
    assert.instance(error, Error)
    if (expected) assert.match((error as Error).message, expected)
    return error as Error
  }
  throw new Error('expected a rejection, but the promise resolved')
}
