// Two outputs: `dist/` (tsc; what unit tests run) and `bin/` (esbuild bundle; what is published and what end-to-end tests run).
import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
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
  },
}

const commonJs = [
  `import { createRequire as createBundleRequire } from 'node:module'`,
  'const require = createBundleRequire(import.meta.url), __dirname = import.meta.dirname, __filename = import.meta.filename',
]

await build({
  absWorkingDir: root,
  entryPoints: { stagecraft: 'src/cli/bin.ts' },
  outdir: 'bin',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minifySyntax: true,
  sourcemap: 'external',
  legalComments: 'none',
  logLevel: 'warning',
  // Bundled CommonJS still expects what only CommonJS has.
  banner: { js: `#!/usr/bin/env node\n${commonJs.join('\n')}` },
  define: { STAGECRAFT_BUILD_VERSION: JSON.stringify(version), STAGECRAFT_GRAPH_PAGE: page, 'process.env.STAGECRAFT_FAULT': 'undefined' },
  plugins: [leftOut],
})
chmodSync(`${root}bin/stagecraft.js`, 0o755)
