/** One self-contained page: markup, style, script and data in one text. It fetches nothing and runs nothing but its own script. */
import { createHash } from 'node:crypto'
import type { PageData } from './page-data.ts'

/** What `page/` was made into by the build (scripts/graph-page.mjs). */
export interface PageAssets {
  readonly script: string
  readonly style: string
}

/** @throws Error when an asset would end its own element: a mistake in the build. */
export function renderPage(data: PageData, { script, style }: PageAssets): string {
  if (/<\/script/i.test(script) || /<\/style/i.test(style)) throw new Error('the page of a graph would end its own script or style')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy(script, style)}">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="stagecraft">
<title>${escapeText(data.title)} · task graph</title>
<style>${style}</style>
</head>
<body>
<noscript>This page draws a task graph and needs JavaScript. \`stagecraft graph --format tree\` prints the same graph as text.</noscript>
<script type="application/json" id="graph">${embeddedJson(data)}</script>
<script>${script}</script>
</body>
</html>
`
}

/** Whatever a name in the data holds, the browser runs and styles with these two texts only, and asks no network for anything. */
function policy(script: string, style: string): string {
  const only = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  return `default-src 'none'; script-src ${only(script)}; style-src ${only(style)}; base-uri 'none'; form-action 'none'`
}

/** Within a script element only `<` has a meaning: without it, nothing in the data can end the element or begin a comment. */
function embeddedJson(data: PageData): string {
  return JSON.stringify(data).replaceAll('<', '\\u003c')
}

function escapeText(text: string): string {
  return text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)
}
