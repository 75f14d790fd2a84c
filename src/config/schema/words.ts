/** The small types the manifest is made of. Messages complete "expected …": see `schema-problems.ts`. */
import { posix } from 'node:path'
import { z } from 'zod'

/** Part of Compose project names, directories on hosts and image names. */
export const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]*$/, 'expected lower-case letters, digits, `-` and `_`, beginning with a letter or digit')
  .meta({ examples: ['shop'] })

/** What Compose allows a service to be called. */
export const serviceName = z
  .string()
  .regex(/^[a-zA-Z0-9._-]+$/, 'expected letters, digits, `.`, `-` and `_`')
  .meta({ examples: ['web'] })

export const role = name.meta({ examples: ['app'] })

export const variableName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable: letters, digits and `_`')
  .meta({ examples: ['API_TOKEN'] })

export const connectionVariable = z
  .string()
  .regex(/^[A-Z_][A-Z0-9_]*$/, 'expected the name of an environment variable: capital letters, digits and `_`')
  .meta({ examples: ['DATABASE_URL'] })

/** How images reach hosts. */
export const transfer = z.enum(['registry', 'ssh'])

export const text = z.string().regex(/\S/, 'expected some text')

/** Below the manifest's folder; normalised to `/`, without `./` and without an ending slash. */
export const pathInProject = z
  .string()
  .regex(/\S/, 'expected a path')
  .transform((path) => posix.normalize(path.trim().replaceAll('\\', '/')).replace(/(?<=.)\/$/, ''))
  .refine((path) => !/^(\/|~|[A-Za-z]:)/.test(path), 'expected a path relative to the manifest')
  .refine((path) => path !== '..' && !path.startsWith('../'), 'expected a path inside the project')
  .meta({ examples: ['packages/api'] })

/** Goes into commands and bind mounts on hosts, so only characters that need no quoting anywhere. */
export const hostDirectory = z
  .string()
  .regex(/^\/[A-Za-z0-9._/-]*$/, 'expected an absolute path of letters, digits, `.`, `_`, `-` and `/`')
  .refine((path) => !path.split('/').includes('..'), 'expected an absolute path without `..`')
  .transform((path) => posix.normalize(path).replace(/(?<=.)\/$/, ''))
  .meta({ examples: ['/srv/stagecraft'] })

export const port = z
  .int()
  .min(1)
  .max(65535)
  .meta({ examples: [3000] })

const shortForms = new WeakMap<z.core.$ZodType, readonly z.ZodType[]>()

/** Notes what a schema with a `preprocess` takes besides what it is: for the JSON Schema, which cannot look into a function. */
export function withShortForms<T extends z.ZodType>(schema: T, forms: readonly z.ZodType[]): T {
  shortForms.set(schema, forms)
  return schema
}

/** Also of one that was described since, which is another object. */
export function shortFormsOf(schema: z.core.$ZodType): readonly z.ZodType[] | undefined {
  const { parent } = schema._zod
  return shortForms.get(schema) ?? (parent && shortFormsOf(parent))
}

/** A map that may be left empty in YAML: `dev:` alone means `dev: {}`. */
export function emptyAllowed<T extends z.ZodType>(schema: T) {
  return withShortForms(
    z.preprocess((value) => value ?? {}, schema),
    [z.null()],
  )
}
