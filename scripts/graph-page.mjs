// Makes the script and the style of the page that `stagecraft graph --format html` writes, from src/ui/html/page.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = 'src/ui/html/page'

/** @returns {Promise<{ script: string, style: string }>} */
export async function graphPage() {
  // Types of a browser are for these files only, so they are a project of their own.
  execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', `${root}${folder}`], { stdio: 'inherit' })
  const made = await build({
    absWorkingDir: root,
    entryPoints: { script: `${folder}/main.ts`, style: `${folder}/page.css` },
    outdir: 'page',
    write: false,
    bundle: true,
    format: 'iife',
    platform: 'browser',
    target: ['chrome111', 'firefox113', 'safari16.4'],
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
  })
  const textOf = (ending) => made.outputFiles.find(({ path }) => path.endsWith(ending)).text.trim()
  return { script: textOf('.js'), style: textOf('.css') }
}
