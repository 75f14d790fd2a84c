/** A real browser for tests of pages: Debian's Chromium, without a window and without a network of its own. */
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { detectDistribution, installPackages } from '../lab/packages.ts'
import { inTemporaryDirectory } from './temporary-directory.ts'

const program = '/usr/bin/chromium'

/** Chromium would otherwise look for updates and accounts. */
const quiet = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Why there can be no browser here, or undefined once there is one: it is installed like what the lab lacks. */
export async function browserObstacle(): Promise<string | undefined> {
  if (existsSync(program)) return undefined
  const distribution = await detectDistribution()
  if (distribution === undefined || distribution === 'ubuntu') return `there is no ${program}, and only on Debian can apt install it`
  if (process.getuid?.() !== 0) return `there is no ${program}, and installing it needs root`
  try {
    await installPackages({ packages: ['chromium'], backported: [] })
  } catch (error) {
    return `there is no ${program}, and it cannot be installed: ${error instanceof Error ? error.message : String(error)}`
  }
  return existsSync(program) ? undefined : `there is no ${program}`
}

export interface OpenPage {
  readonly page: Page
  /** What the page's console said, and what it threw. */
  readonly complaints: readonly string[]
  /** Addresses the page asked for, its own left out. */
  readonly requests: readonly string[]
}

/** Opens a page from a file, as a person would. */
export async function withPage(
  browser: Browser,
  html: string,
  work: (opened: OpenPage) => Promise<void>,
  options: BrowserContextOptions = {},
): Promise<void> {
  await inTemporaryDirectory(async (directory) => {
    const path = join(directory, 'graph.html')
    await writeFile(path, html)
    const address = pathToFileURL(path).href
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
    try {
      const page = await context.newPage()
      page.setDefaultTimeout(10_000)
      const complaints: string[] = []
      const requests: string[] = []
      page.on('console', (message) => complaints.push(message.text()))
      page.on('pageerror', (error) => complaints.push(error.message))
      page.on('dialog', (dialog) => {
        complaints.push(`a dialog said ${dialog.message()}`)
        void dialog.dismiss()
      })
      page.on('request', (request) => {
        if (request.url() !== address) requests.push(request.url())
      })
      await page.goto(address)
      await page.waitForSelector('.boxes > *')
      await work({ page, complaints, requests })
    } finally {
      await context.close()
    }
  })
}

/** Its folder for the user's data is new and goes with it. */
export async function openBrowser(): Promise<Browser> {
  const { chromium } = await import('playwright-core')
  return chromium.launch({ executablePath: program, args: quiet })
}
