/** Thrown where a text turns out to be no plain YAML. */
export class NotPlain extends Error {
  override readonly name = 'NotPlain'
}
