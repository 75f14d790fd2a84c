// Two outputs: `dist/` (tsc; what unit tests run) and `bin/` (esbuild bundle; what is published and what end-to-end tests run).
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build, transform } from 'esbuild'
import { graphPage } from './graph-page.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))

for (const output of ['dist', 'bin']) rmSync(`${root}${output}`, { recursive: true, force: true })
execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', root], { stdio: 'inherit' })
const page = JSON.stringify(await graphPage())
writeFileSync(`${root}dist/src/ui/html/page.json`, page)

/** Modules that the program must do without: their `require` throws, which both callers expect, or they do nothing. */
const leftOut = {
  name: 'left-out',
  setup({ onLoad, onResolve }) {
    // ssh2 tries its native parts and works without them; the bundle runs on every platform.
    onResolve({ filter: /\.node$|^cpu-features$/ }, ({ path }) => ({ path, namespace: 'absent' }))
    onLoad({ filter: /.*/, namespace: 'absent' }, ({ path }) => ({
      contents: `throw new Error(${JSON.stringify(`${path} is not bundled`)})`,
    }))
    // zod's words in 50 languages; ours come from `schema-problems.ts`, and zod sets up English by itself.
    onResolve({ filter: /\/locales\/index\.js$/ }, ({ importer }) =>
      importer.includes('/zod/') ? { path: 'locales', namespace: 'locales' } : undefined,
    )
    onLoad({ filter: /.*/, namespace: 'locales' }, () => ({ contents: 'export {}' }))
    // Sessions are BuildKit's way back to the client; builds go through the docker command. It would load gRPC: 110 ms.
    onResolve({ filter: /^\.\/session$/ }, ({ importer }) =>
      importer.includes('/dockerode/') ? { path: 'session', namespace: 'session' } : undefined,
    )
    onLoad({ filter: /.*/, namespace: 'session' }, () => ({
      contents: `module.exports = () => { throw new Error('BuildKit sessions are left out of this bundle') }`,
    }))
    // Whether there is color is decided by `ui/terminal.ts`; what chalk would ask at load has no reader.
    onResolve({ filter: /^#supports-color$/ }, () => ({ path: 'supports-color', namespace: 'supports-color' }))
    onLoad({ filter: /.*/, namespace: 'supports-color' }, () => ({ contents: 'export default { stdout: false, stderr: false }' }))
    // fdir would use a picomatch it finds near the program; tinyglobby brings one and asks for none.
    onResolve({ filter: /^module$/ }, ({ importer }) =>
      importer.includes('/fdir/') ? { path: 'require', namespace: 'require' } : undefined,
    )
    onLoad({ filter: /.*/, namespace: 'require' }, () => ({ contents: 'export const createRequire = () => ({})' }))
  },
}

/** Names this build: a certificate written by another code is no word to this one. */
function buildId() {
  const digest = createHash('sha256')
  for (const folder of ['graph', 'cache', 'tasks', 'src']) {
    const files = readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' }).filter((file) => /\.(ts|json)$/.test(file))
    for (const file of files.sort()) digest.update(`${folder}/${file}\0`).update(readFileSync(`${root}${folder}/${file}`))
  }
  return `${version}-${digest
    .update(readFileSync(`${root}package-lock.json`))
    .update(readFileSync(`${root}scripts/build.mjs`))
    .digest('hex')
    .slice(0, 16)}`
}

const shared = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  minifySyntax: true,
  legalComments: 'none',
  logLevel: 'warning',
  define: {
    STAGECRAFT_BUILD_VERSION: JSON.stringify(version),
    STAGECRAFT_BUILD_ID: JSON.stringify(buildId()),
    STAGECRAFT_GRAPH_PAGE: page,
    // From `bin/chunks/`.
    STAGECRAFT_SPAWNER: JSON.stringify('../spawner.js'),
    'process.env.STAGECRAFT_FAULT': 'undefined',
  },
}

// The program proper, loaded piece by piece as its words ask for it. esbuild splits a bundle only into ES modules, whose loader takes Node longer than all
// else of a start, so each piece is made CommonJS afterwards.
const { outputFiles } = await build({
  ...shared,
  entryPoints: { main: 'src/cli/bin.ts' },
  outdir: 'bin',
  chunkNames: 'chunks/[name]-[hash]',
  splitting: true,
  format: 'esm',
  sourcemap: 'inline',
  write: false,
  plugins: [leftOut],
})
mkdirSync(`${root}bin/chunks`, { recursive: true })
await Promise.all(outputFiles.map(writeAsCommonJs))

async function writeAsCommonJs({ path, text }) {
  const { code, map } = await transform(text, {
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    supported: { 'dynamic-import': false },
    define: { 'import.meta.url': 'bundleUrl' },
    banner: text.includes('import.meta.url') ? 'const bundleUrl = require("node:url").pathToFileURL(__filename).href;' : '',
    sourcefile: path,
    sourcemap: 'external',
    // Warnings were given when it was bundled, but for those of others' code.
    logLevel: 'error',
  })
  writeFileSync(path, code)
  writeFileSync(`${path}.map`, map)
}

// What is started: answers a run that has nothing to do by itself. CommonJS, as the loader of modules takes longer than the answer.
await build({
  ...shared,
  entryPoints: { stagecraft: 'src/cli/launch.ts' },
  outdir: 'bin',
  format: 'cjs',
  define: { ...shared.define, 'import.meta.dirname': '__dirname' },
  banner: { js: '#!/usr/bin/env node' },
})
// What starts programs for a run that starts many: it must be small, as its memory is what a start costs.
await build({ ...shared, entryPoints: { spawner: 'src/programs/spawner-main.ts' }, outdir: 'bin', format: 'cjs' })
// What editors check manifests by; a test holds it to the program.
copyFileSync(`${root}docs/reference/stagecraft.schema.json`, `${root}bin/stagecraft.schema.json`)
writeFileSync(`${root}bin/package.json`, '{"type":"commonjs"}\n')
chmodSync(`${root}bin/stagecraft.js`, 0o755)
