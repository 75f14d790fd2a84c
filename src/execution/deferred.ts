/** A promise that somebody else settles. */
export interface Deferred<T> {
  readonly promise: Promise<T>
  /** The first call counts. */
  readonly settle: (value: T) => void
}

export function deferred<T>(): Deferred<T> {
  let settle: (value: T) => void = () => {}
  const promise = new Promise<T>((resolve) => {
    settle = resolve
  })
  return { promise, settle }
}
