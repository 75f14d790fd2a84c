/**
 * Compose's variable syntax, for the few places where the deployment must know a value before Compose does: image names,
 * published ports, durations. Forms: `$NAME`, `${NAME}`, `:-` `-` (default), `:+` `+` (alternative), `:?` `?` (required), `$$`.
 * Source: https://github.com/compose-spec/compose-spec/blob/main/12-interpolation.md
 */
export interface Interpolated {
  /** Unknown variables stay as `${NAME}`. */
  readonly text: string
  /** Names of variables without value or default, in order of appearance. */
  readonly missing: readonly string[]
}

export function interpolate(text: string, variables: Readonly<Record<string, string>>): Interpolated {
  const missing: string[] = []
  let result = ''
  for (let at = 0; at < text.length; ) {
    const dollar = text.indexOf('$', at)
    if (dollar === -1) return { text: result + text.slice(at), missing }
    result += text.slice(at, dollar)
    const reference = readReference(text, dollar)
    at = dollar + reference.length
    if (reference.name === undefined) result += reference.literal
    else result += resolve(reference.name, reference.operator, reference.operand, variables, missing)
  }
  return { text: result, missing }
}

type Reference =
  | { readonly length: number; readonly name: string; readonly operator: string; readonly operand: string }
  | { readonly length: number; readonly name?: undefined; readonly literal: string }

function readReference(text: string, dollar: number): Reference {
  const rest = text.slice(dollar + 1, dollar + 2) === '{' ? bracedBody(text, dollar + 2) : undefined
  if (text.startsWith('$$', dollar)) return { length: 2, literal: '$' }
  if (rest !== undefined) {
    const match = /^([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+?])(.*))?$/s.exec(rest)
    if (match) return { length: rest.length + 3, name: match[1] ?? '', operator: match[2] ?? '', operand: match[3] ?? '' }
  }
  const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(text.slice(dollar + 1))?.[0]
  return name === undefined ? { length: 1, literal: '$' } : { length: name.length + 1, name, operator: '', operand: '' }
}

/** What stands between `${` and its `}`, defaults with variables of their own included. */
function bracedBody(text: string, start: number): string | undefined {
  let depth = 1
  for (let at = start; at < text.length; at++) {
    if (text.startsWith('${', at)) depth++
    if (text[at] === '}' && --depth === 0) return text.slice(start, at)
  }
  return undefined
}

function resolve(name: string, operator: string, operand: string, variables: Readonly<Record<string, string>>, missing: string[]): string {
  const value = Object.hasOwn(variables, name) ? variables[name] : undefined
  const present = operator.startsWith(':') ? value !== undefined && value !== '' : value !== undefined
  const nested = () => {
    const inner = interpolate(operand, variables)
    missing.push(...inner.missing)
    return inner.text
  }
  if (operator.endsWith('+')) return present ? nested() : ''
  if (operator.endsWith('-')) return present ? (value ?? '') : nested()
  if (present) return value ?? ''
  if (value === undefined || operator.endsWith('?')) missing.push(name)
  return `\${${name}}`
}
