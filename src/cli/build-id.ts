/** Set by the bundler: a digest of all the program is made from. Absent when the code runs from `dist/` or from source. */
declare const STAGECRAFT_BUILD_ID: string | undefined

/** Names the code that is running: what one build has decided is no word to another. */
export function buildId(): string {
  return typeof STAGECRAFT_BUILD_ID === 'string' ? STAGECRAFT_BUILD_ID : 'unbundled'
}
