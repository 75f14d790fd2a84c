/** ssh2 (https://github.com/mscdex/ssh2), as CommonJS exports it. It takes 55 ms to load: only whoever connects loads it. */
export type Ssh2 = typeof import('ssh2')

/** `utils` is no named export for Node's ES module loader, so the whole is taken from `default`, which the types do not know. */
export async function loadSsh2(): Promise<Ssh2> {
  const library: unknown = await import('ssh2')
  return (library as { readonly default: Ssh2 }).default
}
