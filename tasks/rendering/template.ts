/**
 * Compose's template language, read as Compose reads it: `$NAME`, `${NAME}`, `${NAME:-default}` and its relatives, `$$`.
 * Protocol: https://docs.docker.com/reference/compose-file/interpolation/ and compose-go's `template` package, whose
 * treatment of braces inside defaults is followed to the letter, as its answer is the one a host will give.
 */

export type TemplateOperator = ':-' | '-' | ':?' | '?' | ':+' | '+'

export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'dollar' }
  | {
      readonly kind: 'variable'
      readonly name: string
      readonly operator?: TemplateOperator
      readonly argument: string
      readonly source: string
    }
  | { readonly kind: 'invalid'; readonly source: string }

const token = /\$(?:(?<dollar>\$)|(?<named>[a-z_][a-z0-9_]*)|\{(?<braced>[a-z_][a-z0-9_]*(?::?[-+?][^\n]*)?)\}|(?<open>\{))/gi
const expression = /^(?<name>[a-z_][a-z0-9_]*)(?<operator>:?[-+?])?(?<argument>[\s\S]*)$/i

/** The text in parts, in order. A `$` before anything else than a name, a brace or a `$` is plain text. */
export function parseTemplate(text: string): readonly TemplatePart[] {
  const parts: TemplatePart[] = []
  const pattern = new RegExp(token)
  let end = 0
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    if (match.index > end) parts.push({ kind: 'text', text: text.slice(end, match.index) })
    const groups = match.groups ?? {}
    let source = match[0]
    if (groups['dollar'] !== undefined) parts.push({ kind: 'dollar' })
    else if (groups['named'] !== undefined) parts.push({ kind: 'variable', name: groups['named'], argument: '', source })
    else if (groups['braced'] !== undefined) {
      // The pattern runs to the last brace of the line; the variable ends at the brace that closes it.
      const closing = closingBrace(source)
      if (closing >= 0) source = source.slice(0, closing + 1)
      parts.push(variable(source))
    } else {
      source = text.slice(match.index)
      parts.push({ kind: 'invalid', source })
    }
    end = match.index + source.length
    pattern.lastIndex = end
  }
  if (end < text.length) parts.push({ kind: 'text', text: text.slice(end) })
  return parts
}

function variable(source: string): TemplatePart {
  const groups = expression.exec(source.slice(2, -1))?.groups ?? {}
  const operator = groups['operator'] as TemplateOperator | undefined
  const found = { kind: 'variable', name: groups['name'] ?? '', argument: groups['argument'] ?? '', source } as const
  return operator === undefined ? found : { ...found, operator }
}

/** Compose skips the character after an opening brace, so `{}` in a default does not close anything. */
function closingBrace(text: string): number {
  let depth = 0
  for (let index = 0; index < text.length; index++) {
    if (text[index] === '}') {
      depth--
      if (depth === 0) return index
    } else if (text[index] === '{') {
      depth++
      index++
    }
  }
  return -1
}

/** What a variable stands for, once its value (or its absence) is known. */
export function choose(operator: TemplateOperator | undefined, value: string | undefined): 'value' | 'argument' | 'nothing' | 'missing' {
  const given = value !== undefined && (value !== '' || !operator?.startsWith(':'))
  if (operator === ':+' || operator === '+') return given ? 'argument' : 'nothing'
  if (given) return 'value'
  return operator === ':-' || operator === '-' ? 'argument' : 'missing'
}

/** Text that Compose reads back as `value`. */
export function escapeDollars(value: string): string {
  return value.replaceAll('$', '$$$$')
}

/** Names the text refers to, also inside defaults; sorted by first appearance, unique. */
export function variableNames(text: string): readonly string[] {
  const names = new Set<string>()
  for (const part of parseTemplate(text)) {
    if (part.kind !== 'variable') continue
    names.add(part.name)
    for (const name of variableNames(part.argument)) names.add(name)
  }
  return [...names]
}

/** What Compose makes of the text: an unknown variable is empty, `$$` is a dollar sign. Invalid templates stay as they are. */
export function evaluate(text: string, lookup: (name: string) => string | undefined): string {
  return parseTemplate(text)
    .map((part) => {
      if (part.kind === 'text') return part.text
      if (part.kind === 'dollar') return '$'
      if (part.kind === 'invalid') return part.source
      const value = lookup(part.name)
      const choice = choose(part.operator, value)
      if (choice === 'argument') return evaluate(part.argument, lookup)
      return choice === 'value' ? (value ?? '') : ''
    })
    .join('')
}
