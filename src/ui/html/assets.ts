import { readFileSync } from 'node:fs'
import type { PageAssets } from './render-page.ts'

/** Set by the bundler; absent when the code runs from `dist/`, where the build puts a file instead. */
declare const STAGECRAFT_GRAPH_PAGE: PageAssets | undefined

/** The page's script and style, made from `page/` by the build. */
export function pageAssets(): PageAssets {
  if (typeof STAGECRAFT_GRAPH_PAGE === 'object') return STAGECRAFT_GRAPH_PAGE
  return JSON.parse(readFileSync(new URL('page.json', import.meta.url), 'utf8')) as PageAssets
}
