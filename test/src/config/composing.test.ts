import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Checked } from '../../../graph/types.ts'
import { type ComposeFile, loadCompose } from '../../../src/config/compose-file.ts'
import { accepted, diagnosticsOf } from './told.ts'

const test = suite('config/composing')

type Files = Readonly<Record<string, string>>

async function loaded(files: Files, projectDirectory?: string): Promise<Checked<ComposeFile>> {
  const folder = mkdtempSync(join(tmpdir(), 'stagecraft-composing-'))
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    return await loadCompose(join(folder, 'c.yml'), { shownAs: 'c.yml', projectDirectory: projectDirectory ?? folder })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** `file:line:column code message | note`. */
async function said(files: Files): Promise<string[]> {
  return diagnosticsOf(await loaded(files)).map(({ code, message, location, notes = [] }) => {
    const place = location ? `${location.file}:${location.line}:${location.column}` : '-'
    const more = notes.map((note) => ` | ${note.message}${note.location ? ` ${note.location.file}:${note.location.line}` : ''}`)
    return `${place} ${code} ${message}${more.join('')}`
  })
}

async function service(files: Files, name = 'web') {
  return accepted(await loaded(files)).services.find((each) => each.name === name)?.definition
}

test('a service has what it extends, and its own over it', async () => {
  const definition = await service({ 'c.yml': 'services: {base: {image: a, tty: true}, web: {extends: base, image: b}}' })
  assert.equal(definition, { image: 'b', tty: true })
})

test('paths of another file start from its own folder, also the defaults of variables', async () => {
  const definition = await service({
    'c.yml': 'services: {web: {extends: {file: lib/base.yml, service: base}}}',
    'lib/base.yml':
      'services: {base: {build: {dockerfile: D}, env_file: [x.env, "/abs.env"], volumes: ["./a:/a", "${V:-./b}:/b", "data:/c", "${V}:/d"]}}',
  })
  assert.equal(definition, {
    build: { context: './lib', dockerfile: 'D' },
    env_file: ['./lib/x.env', '/abs.env'],
    volumes: ['./lib/a:/a', '${V:-./lib/b}:/b', 'data:/c', '${V}:/d'],
  })
})

test('every other file is known by name, and what is wrong in it is told of it', async () => {
  const files = {
    'c.yml': 'include: [{path: more/c.yml, env_file: more/x.env}]\nservices: {web: {extends: {file: lib/base.yml, service: base}}}',
    'lib/base.yml': 'services: {base: {image: a}}',
    'more/c.yml': 'services: {db: {image: "${DB}"}}',
    'more/x.env': 'DB=db:1',
  }
  const { others, services, locate, directory } = accepted(await loaded(files))
  assert.equal(
    others,
    ['lib/base.yml', 'more/c.yml', 'more/x.env'].map((path) => join(directory, path)),
  )
  assert.equal(services[0]?.definition, { image: '${DB-db:1}' })
  assert.is(locate(['services', 'web', 'image']).file, 'lib/base.yml')
  assert.is(locate(['services', 'db', 'image']).file, 'more/c.yml')
  assert.equal(await said({ ...files, 'lib/base.yml': 'services: {base: {imge: a}}' }), [
    'lib/base.yml:1:19 SC1003 unknown key `imge` in services.base',
  ])
})

test('values of an included file give way to those of the environment, and keep what they meant', async () => {
  const definition = await service({
    'c.yml': 'include: [{path: i.yml, env_file: [one.env, two.env]}]',
    'i.yml': 'services: {web: {image: a, command: ["$A", "${A:-x}", "${A:?no}", "${A-x}", "${A+x}", "$$A", "${B:-${A}}", "${E:-x}"]}}',
    'one.env': 'A=0\nE=',
    'two.env': 'A=p$w',
  })
  assert.equal(definition?.['command'], [
    '${A-p$$w}',
    '${A:-${A+x}${A-p$$w}}',
    '${A-p$$w}',
    '${A-p$$w}',
    'x',
    '$$A',
    '${B:-${A-p$$w}}',
    '${E:-x}',
  ])
})

const faults: readonly (readonly [files: Files, ...expected: string[]])[] = [
  [
    { 'c.yml': 'include: ["${X}/c.yml"]\nservices: {a: {image: a}}' },
    'c.yml:1:11 SC1091 `${X}/c.yml` is a file whose name needs a variable | which files make a deployment must be known before it',
  ],
  [
    { 'c.yml': 'include: [oci://example.com/c]\nservices: {a: {image: a}}' },
    'c.yml:1:11 SC1091 `oci://example.com/c` is not on this machine | put a copy into the project, where its changes can be seen',
  ],
  [
    { 'c.yml': 'include: [../c.yml]\nservices: {a: {image: a}}' },
    'c.yml:1:11 SC1036 `../c.yml` is outside the project | the project is the folder of its `stagecraft.yml`',
  ],
  [{ 'c.yml': 'services: {a: {extends: {file: b.yml, service: b}}}' }, 'c.yml:1:16 SC1001 `b.yml` does not exist'],
  [
    { 'c.yml': 'services: {a: {extends: b}, b: {extends: a}}' },
    'c.yml:1:25 SC1093 service `a` extends itself',
    'c.yml:1:42 SC1093 service `b` extends itself',
  ],
  [{ 'c.yml': 'include: [i.yml]\nservices: {a: {image: a}}', 'i.yml': 'include: [c.yml]' }, 'i.yml:1:11 SC1093 the file includes itself'],
  [
    { 'c.yml': 'include: [i.yml]\nservices: {a: {image: a}}', 'i.yml': 'services:\n  a: {image: b}' },
    'c.yml:2:12 SC1094 `services.a` is defined here, and otherwise in an included file | and here i.yml:2',
  ],
  [
    { 'c.yml': 'include: [{path: i.yml, env_file: x.env}]', 'i.yml': 'services: {a: {image: "$A"}}', 'x.env': 'A=a}b' },
    "c.yml:1:18 SC1095 `A` of the included file's `env_file` has a value with a brace or a line break",
  ],
  [
    { 'c.yml': 'include: [{path: i.yml, env_file: x.env}]', 'i.yml': 'services: {a: {image: a}}', 'x.env': 'A=${B}\nB=${A}' },
    "c.yml:1:18 SC1095 the included file's `env_file` goes round in a circle: `A` refers to itself: A → B → A",
  ],
]
for (const [files, ...expected] of faults) test(expected[0] ?? '', async () => assert.equal(await said(files), expected))

test('the same thing in two files is one', async () => {
  const files = { 'c.yml': 'include: [i.yml]\nservices: {a: {image: a}}', 'i.yml': 'services: {a: {image: a}}' }
  assert.equal(await said(files), [])
})

test('what is taken away with a tag is gone from what is below', async () => {
  const definition = await service({
    'c.yml':
      'services:\n  base: {image: a, ports: ["1:1"], dns: [1.1.1.1], mem_limit: 1g}\n  web: {extends: base, ports: !reset [], dns: !override [9.9.9.9], mem_limit: !override 5}',
  })
  assert.equal(definition, { image: 'a', dns: ['9.9.9.9'], mem_limit: 5 })
})

test.run()
