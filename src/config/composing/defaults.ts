/** `include.env_file`: values that hold in the included files where the environment gives none. */
import type { Location } from '../../../graph/types.ts'
import { escapeDollars, parseTemplate } from '../../../tasks/rendering/template.ts'
import { problem } from '../diagnostic.ts'
import type { Library } from './reference.ts'
import { changeTexts, type Sourced } from './sourced.ts'

/**
 * Written into the placeholders as what they default to, so that the environment's values still win, secrets still stay out, and a value
 * is filled in where all others are. A value in which a brace or a line ends would end the placeholder: it is reported.
 */
export function withDefaults(model: Sourced, values: Readonly<Record<string, string>>, from: Location, { report }: Library): Sourced {
  if (Object.keys(values).length === 0) return model
  const refused = new Set<string>()
  const fill = (text: string): string =>
    parseTemplate(text)
      .map((part) => {
        if (part.kind === 'text') return part.text
        if (part.kind === 'dollar') return '$$'
        if (part.kind === 'invalid') return part.source
        const { name, operator } = part
        const argument = fill(part.argument)
        const value = Object.hasOwn(values, name) ? values[name] : undefined
        if (value === undefined) return operator === undefined ? part.source : `\${${name}${operator}${argument}}`
        if (/[{}\n]/.test(value)) refused.add(name)
        return placeholder(name, operator, argument, escapeDollars(value), value === '')
      })
      .join('')
  const filled = changeTexts(model, fill)
  for (const name of [...refused].sort())
    report(problem('SC1095', `\`${name}\` of the included file's \`env_file\` has a value with a brace or a line break`, from))
  return filled
}

/** A placeholder that yields `value` when its variable is not set, and what it yielded before when it is. */
function placeholder(name: string, operator: string | undefined, argument: string, value: string, isEmpty: boolean): string {
  switch (operator) {
    case ':-':
      // Set and empty, the argument; not set, the value, unless that is empty too.
      return isEmpty ? `\${${name}:-${argument}}` : `\${${name}:-\${${name}+${argument}}\${${name}-${value}}}`
    case ':?':
      return isEmpty ? `\${${name}:?${argument}}` : `\${${name}-${value}}`
    case ':+':
      // The language has no word for "not set, or set and not empty": a variable that is set to nothing counts as not set here.
      return isEmpty ? `\${${name}:+${argument}}` : argument
    case '+':
      return argument
    default:
      return `\${${name}-${value}}`
  }
}
