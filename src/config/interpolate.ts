/** Compose's variable syntax, for the few places where the deployment must know a value before Compose does: image names, ports. */
import { interpolate as fillIn } from '../../tasks/rendering/interpolate.ts'

export interface Interpolated {
  /** Variables without a value stay as they were written. */
  readonly text: string
  /** What has neither value nor default, in order of appearance. */
  readonly missing: readonly string[]
}

export function interpolate(text: string, variables: Readonly<Record<string, string>>): Interpolated {
  const filled = fillIn(text, { plain: variables, secrets: new Set() })
  return { text: filled.text.replaceAll('$$', '$'), missing: filled.problems.map(({ name }) => name) }
}
