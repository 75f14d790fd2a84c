import { z } from 'zod'
import type { Json } from '../../graph/types.ts'
import { type Flag, kebabCase, type Positional } from './flag.ts'

/** What `z.toJSONSchema` says of one member, with our own `.meta()` keys merged in. */
interface Member {
  readonly type?: string | readonly string[]
  readonly anyOf?: readonly Member[]
  readonly enum?: readonly Json[]
  readonly const?: Json
  readonly items?: Member
  readonly default?: Json
  readonly description?: string
  readonly alias?: string
  readonly value?: string
  readonly env?: string
  readonly hidden?: boolean
}

/**
 * The flags a command's zod object stands for. `.describe()` is the help text; `.meta({ alias, value, env, hidden })` the rest.
 * @throws Error when a member cannot be a flag: a mistake in the command.
 */
export function flagsOf(schema: z.ZodObject): Flag[] {
  return membersOf(schema).map(([key, member]) => {
    const shape = shapeOf(key, member)
    const choices = choicesOf(member)
    const name = kebabCase(key)
    if (shape === 'boolean' && name.startsWith('no-')) throw new Error(`flag ${key}: declare the positive name with .default(true)`)
    return {
      key,
      name,
      shape,
      description: member.description ?? '',
      value: member.value ?? placeholder(shape, name),
      hidden: member.hidden === true,
      ...(member.alias === undefined ? {} : { alias: member.alias }),
      ...(member.env === undefined ? {} : { env: member.env }),
      ...(choices === undefined ? {} : { choices }),
      ...(member.default === undefined ? {} : { fallback: member.default }),
    }
  })
}

/** The positional arguments a command's zod object stands for, in order. */
export function positionalsOf(schema: z.ZodObject): Positional[] {
  const required = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }).required ?? []
  return membersOf(schema).map(([key, member]) => {
    const choices = choicesOf(member)
    return {
      key,
      name: kebabCase(key),
      description: member.description ?? '',
      required: required.includes(key),
      variadic: member.type === 'array',
      ...(choices === undefined ? {} : { choices }),
      ...(member.default === undefined ? {} : { fallback: member.default }),
    }
  })
}

function membersOf(schema: z.ZodObject): [string, Member][] {
  const { properties } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return Object.entries(properties ?? {}) as [string, Member][]
}

function typesOf(member: Member): readonly string[] {
  if (member.anyOf !== undefined) return member.anyOf.flatMap(typesOf)
  if (member.type !== undefined) return typeof member.type === 'string' ? [member.type] : member.type
  return [typeof (member.const ?? member.enum?.[0])]
}

function shapeOf(key: string, member: Member): Flag['shape'] {
  const types = new Set(typesOf(member))
  if (types.has('boolean')) return types.has('string') ? 'optional' : 'boolean'
  if (types.has('array')) return 'list'
  if (types.has('number') || types.has('integer')) return 'number'
  if (types.has('string')) return 'text'
  throw new Error(`flag ${key}: ${[...types].join(' or ')} cannot be typed on a command line`)
}

function choicesOf(member: Member): string[] | undefined {
  return (member.items?.enum ?? member.enum)?.map(String)
}

function placeholder(shape: Flag['shape'], name: string): string {
  if (shape === 'number') return '<n>'
  return shape === 'list' ? '<a,b>' : `<${name}>`
}
