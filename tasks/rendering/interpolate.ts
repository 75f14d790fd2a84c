import { choose, escapeDollars, parseTemplate, type TemplatePart } from './template.ts'

/** What may be put into a file that is cached and readable, and what may not. A name in both is a secret. */
export interface VariableScope {
  readonly plain: Readonly<Record<string, string>>
  /** Names that have a value which must not appear: their placeholders stay for Compose to fill in on the host. */
  readonly secrets: ReadonlySet<string>
}

export interface VariableProblem {
  /** `unresolved`: no value and no default. `invalid`: cannot be rendered whatever the values are. */
  readonly kind: 'unresolved' | 'invalid'
  readonly name: string
  /** A human sentence fragment: `has no value and no default`. */
  readonly message: string
}

export interface Interpolated {
  /** Still a Compose template: inserted values have their `$` doubled, and all that is left to fill in are secrets. */
  readonly text: string
  readonly problems: readonly VariableProblem[]
}

/** Fills in plain variables and keeps the placeholders of secrets. Problems are collected, never thrown. */
export function interpolate(text: string, scope: VariableScope): Interpolated {
  const problems: VariableProblem[] = []
  const write = (part: TemplatePart): string => {
    if (part.kind === 'text') return part.text
    if (part.kind === 'dollar') return '$$'
    if (part.kind === 'invalid') {
      problems.push({ kind: 'invalid', name: part.source, message: 'is not a valid placeholder; write `$$` for a dollar sign' })
      return part.source
    }
    if (scope.secrets.has(part.name)) return keep(part)
    const value = Object.hasOwn(scope.plain, part.name) ? scope.plain[part.name] : undefined
    const choice = choose(part.operator, value)
    if (choice === 'value') return escapeDollars(value ?? '')
    if (choice === 'nothing') return ''
    if (choice === 'argument') return nested(part.argument)
    const reason = part.argument === '' ? '' : `: ${nested(part.argument)}`
    problems.push({ kind: 'unresolved', name: part.name, message: `has no value and no default${reason}` })
    return part.source
  }
  const nested = (argument: string): string => {
    const inner = interpolate(argument, scope)
    problems.push(...inner.problems)
    return inner.text
  }
  const keep = (part: TemplatePart & { kind: 'variable' }): string => {
    if (part.operator === undefined) return part.source
    const kept = `\${${part.name}${part.operator}${nested(part.argument)}}`
    const [only, ...others] = parseTemplate(kept)
    // A plain value with a lone brace or a line break would end the placeholder early on the host.
    if (others.length > 0 || only?.kind !== 'variable')
      problems.push({ kind: 'invalid', name: part.name, message: 'is a secret whose default contains a value with a brace or line break' })
    return kept
  }
  return { text: parseTemplate(text).map(write).join(''), problems }
}
