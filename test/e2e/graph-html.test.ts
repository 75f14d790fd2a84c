/** The page that `stagecraft graph --format html` writes, opened from a file in a real browser and used as a person would. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { graphOf, release, task } from '../graph/tasks.ts'
import { browserObstacle, type OpenPage, openBrowser, withPage } from '../support/browser.ts'
import { stagecraft } from '../support/cli.ts'
import { layeredGraph, samplePage } from '../support/graph-pages.ts'
import { writeProject } from '../support/session-project.ts'
import { inTemporaryDirectory } from '../support/temporary-directory.ts'

const obstacle = await browserObstacle()
if (obstacle !== undefined) process.stdout.write(`skipped e2e/graph-html: ${obstacle}\n`)
const test = suite('e2e/graph-html')
let browser: Browser

if (obstacle === undefined) {
  test.before(async () => {
    browser = await openBrowser()
  })
  test.after(() => browser.close())
}

/** A test of a page; whatever it does, the page complains of nothing and asks for nothing. */
function pageTest(title: string, html: () => string | Promise<string>, work: (opened: OpenPage) => Promise<void>): void {
  if (obstacle !== undefined) return void test.skip(title)
  test(title, async () => {
    await withPage(browser, await html(), async (opened) => {
      await work(opened)
      assert.equal(opened.complaints, [])
      assert.equal(opened.requests, [])
    })
  })
}

const small = () => samplePage(release())
const box = (page: Page, name: string) => page.locator('.box', { has: page.locator('.label', { hasText: name }) })
const count = (page: Page, selector: string) => page.locator(selector).count()
const transform = (page: Page) => page.locator('.graph > g').getAttribute('transform')
const textOf = async (page: Page, selector: string) => (await page.locator(selector).textContent()) ?? ''
/** As it is read: with breaks between blocks, and without what is folded up. */
const panelText = async (page: Page) => String(await page.evaluate(`document.querySelector('aside').innerText`)).replace(/\s+/g, ' ')
const shape = async (page: Page, selector: string) => (await page.locator(selector).getAttribute('d')) ?? ''
const linesIn = (path: string) => path.match(/M/g)?.length ?? 0
/** Two frames later, what was asked for is drawn. */
const settled = (page: Page) => page.evaluate('new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))')

/** Waits frame by frame until it is so; fails with what it is instead. */
async function until<T>(page: Page, expected: T, found: () => Promise<T>): Promise<void> {
  for (let frame = 0; frame < 200 && (await found()) !== expected; frame++) await settled(page)
  assert.is(await found(), expected)
}

const tells = (page: Page, title: string) => until(page, title, () => textOf(page, 'aside h2'))
const draws = (page: Page, boxes: number) => until(page, boxes, () => count(page, '.box'))

pageTest('a small graph is drawn whole: every task with its state, every dependency', small, async ({ page }) => {
  assert.is(await count(page, '.box'), 10)
  assert.is(await page.title(), 'shop · prod · task graph')
  assert.match((await box(page, 'build:api').getAttribute('aria-label')) ?? '', 'build:api, up to date')
  assert.is(linesIn(await shape(page, '.edge:not(.order):not(.marked)')), 9)
  assert.is(linesIn(await shape(page, '.edge.order:not(.marked)')), 4)
})

pageTest('typing / searches; Enter goes to the first task found and tells of it', small, async ({ page }) => {
  await page.keyboard.press('/')
  await page.keyboard.type('rol')
  assert.equal(await page.locator('.offers li').allTextContents(), ['▶ rollout:api@node-1', '◌ rollout:web@node-1'])
  assert.is(await page.locator('.found').textContent(), '2 of 10')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.waitForSelector('.box.selected')
  assert.is(await page.locator('aside h2').textContent(), 'rollout:web@node-1')
  assert.ok(page.url().endsWith(`#${encodeURIComponent('rollout:web@node-1')}`), page.url())
  assert.is(await count(page, '.graph:focus'), 1)
})

pageTest('a click shows what a task is made from, its timing, and what it waits for; links lead on and back', small, async ({ page }) => {
  await box(page, 'push:api').click()
  const panel = page.locator('aside')
  await page.waitForSelector('.box.selected')
  const text = await panelText(page)
  for (const part of [
    'push:api',
    'would run',
    'src/server.ts changed (+2 more)',
    'f00d'.repeat(16),
    'changed NODE_ENV variable',
    '1 secret unchanged',
  ])
    assert.match(text, part)
  assert.match(text, 'ran, 2026-11-23 10:52 UTC')
  assert.not.match(text, 'src/part-0.ts')
  await panel.locator('summary', { hasText: '40 files unchanged' }).click()
  assert.match(await panelText(page), 'src/part-0.ts')
  assert.match(text, 'Needs 1 ✓ build:api')
  assert.match(text, 'Comes before 1')
  await panel.locator('a', { hasText: 'build:api' }).click()
  await tells(page, 'build:api')
  await page.goBack()
  await tells(page, 'push:api')
  await page.keyboard.press('Escape')
  await tells(page, 'shop · prod')
})

pageTest(
  'a filter hides tasks and their lines, counts say how many there are, and a task sought is shown again',
  small,
  async ({ page }) => {
    const chip = page.locator('.kind-chip', { hasText: 'push' })
    assert.is(await chip.textContent(), 'push2')
    await chip.click()
    await draws(page, 2)
    assert.is(await shape(page, '.edge:not(.order):not(.marked)'), '')
    assert.is(await page.locator('.status').textContent(), '2 of 10 tasks')
    assert.is(await page.locator('.state-chip', { hasText: 'would run' }).textContent(), '▶ would run1')
    await page.locator('.state-chip', { hasText: 'would run' }).click()
    await draws(page, 1)
    await page.keyboard.press('/')
    await page.keyboard.type('finalize')
    await page.keyboard.press('Enter')
    await until(page, '10 tasks', () => textOf(page, '.status'))
  },
)

pageTest('drag, wheel, buttons and keys move and zoom; what is under the pointer stays there', small, async ({ page }) => {
  const start = await transform(page)
  await page.mouse.move(400, 700)
  await page.mouse.down()
  await page.mouse.move(460, 660, { steps: 4 })
  await page.mouse.up()
  await settled(page)
  const dragged = await transform(page)
  assert.is.not(dragged, start)
  const label = box(page, 'upload:node-1').locator('.card')
  const before = await label.boundingBox()
  if (!before) throw new Error('upload:node-1 is not drawn')
  await page.mouse.move(before.x, before.y)
  await page.mouse.wheel(0, -400)
  await settled(page)
  const after = await box(page, 'upload:node-1').locator('.card').boundingBox()
  assert.ok(after && after.width > before.width * 1.5, 'it has grown')
  assert.ok(Math.abs(after.x - before.x) < 3 && Math.abs(after.y - before.y) < 3, `${after.x},${after.y} was at ${before.x},${before.y}`)
  const zoomed = await page.locator('.percent').textContent()
  await page.getByRole('button', { name: 'zoom out' }).click()
  await settled(page)
  assert.is.not(await page.locator('.percent').textContent(), zoomed)
  await page.keyboard.press('0')
  await settled(page)
  assert.is(await transform(page), start)
  await page.locator('.graph').focus()
  await page.keyboard.press('Shift+ArrowRight')
  await settled(page)
  assert.is.not(await transform(page), start)
})

pageTest('arrow keys go along dependencies and up and down', small, async ({ page }) => {
  await box(page, 'render:node-1').click()
  await tells(page, 'render:node-1')
  await page.locator('.graph').focus()
  await page.keyboard.press('ArrowRight')
  await tells(page, 'upload:node-1')
  await page.keyboard.press('ArrowLeft')
  await tells(page, 'render:node-1')
  await page.keyboard.press('ArrowUp')
  await tells(page, 'migrate_pre:main')
  assert.match(await textOf(page, '.spoken'), 'migrate_pre:main')
})

pageTest('the critical path is told in the panel and stands out when asked for', small, async ({ page }) => {
  const path = ['build:web', 'push:web', 'render:node-1', 'upload:node-1', 'rollout:api@node-1', 'finalize:prod']
  assert.equal(
    await page
      .locator('aside ol a')
      .allTextContents()
      .then((all) => all.map((text) => text.slice(2))),
    path,
  )
  const toggle = page.getByRole('button', { name: 'Critical path' })
  await toggle.click()
  await page.waitForSelector('.box.critical')
  assert.equal([await count(page, '.box.critical'), await count(page, '.box.faded')], [6, 4])
  assert.is(linesIn(await shape(page, '.edge.marked:not(.order)')), 5)
  assert.is(await toggle.getAttribute('aria-pressed'), 'true')
  await page.keyboard.press('c')
  await until(page, 0, () => count(page, '.box.critical'))
})

const hostile = [
  'exec:</script><img/src=x/onerror=alert(1)>',
  'exec:"><svg/onload=alert(2)>',
  "exec:';alert(3)//",
  'exec:<!--<script>',
  'exec:__proto__',
  'exec:%2e%00%zz',
]

pageTest(
  'ids, files and reasons are text, whatever they hold',
  () => {
    const name = '</script><img src=x onerror=alert(4)>'
    return samplePage(graphOf(...hostile.map((id) => task(id))), {
      title: `</title>${name}`,
      aboutTask: () => ({
        title: name,
        hosts: [name],
        freshBy: name,
        state: { name: 'run', detail: name },
        ranBefore: true,
        parts: [
          { part: 'file', name, change: 'changed' },
          { part: 'env', name: '<b>', change: 'same' },
        ],
      }),
    })
  },
  async ({ page }) => {
    assert.is(await count(page, '.box'), hostile.length)
    for (const id of hostile) {
      await page.keyboard.press('/')
      await page.keyboard.type(id.slice('exec:'.length))
      await page.keyboard.press('Enter')
      await tells(page, id)
    }
    assert.is(await count(page, 'img, b, aside svg, aside script'), 0)
    assert.match(await panelText(page), '<img src=x onerror=alert(4)>')
  },
)

const large = layeredGraph(2000, 150)

pageTest(
  '2,000 tasks: a few shapes from afar, and near by only what is seen',
  () => samplePage(large),
  async ({ page }) => {
    const elements = () => count(page, '.graph *')
    assert.ok((await elements()) < 40, `${await elements()} from afar`)
    await page.keyboard.press('/')
    await page.keyboard.type(large.order[900]?.split(':')[1] ?? '')
    await page.keyboard.press('Enter')
    await page.waitForSelector('.box.selected')
    const near = await elements()
    assert.ok(near > 100 && near < 2500, `${near} near by`)
    for (let step = 0; step < 20; step++) await page.keyboard.press('Shift+ArrowRight')
    await settled(page)
    assert.ok((await elements()) < 2500, 'what has gone out of sight has gone')
    await page.keyboard.press('0')
    await page.waitForSelector('.far-boxes')
    const area = await page.locator('.graph').boundingBox()
    const place = await page.locator('.far-selected').boundingBox()
    assert.ok(area && place && place.x > area.x && place.y > area.y, 'the selected task is seen from afar')
  },
)

pageTest('in the dark it is dark', small, async ({ page }) => {
  const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor')
  const light = await ground()
  await page.emulateMedia({ colorScheme: 'dark' })
  assert.is.not(await ground(), light)
})

pageTest(
  'the command writes the page of a project, with states and the last run, and no secret',
  () =>
    new Promise((resolve, reject) => {
      inTemporaryDirectory(async (directory) => {
        writeProject(directory, {
          'stagecraft.yml':
            'project: {name: shop}\ntasks:\n  lint: {command: "true", inputs: ["src/**"], secrets: [TOKEN]}\n  test: {command: "true", needs: [lint]}\n',
          'src/s3cr3t-value.ts': '',
          '.stagecraft/run/last.json': JSON.stringify({
            schema: 1,
            finishedAt: '2026-11-23T10:52:07.113Z',
            tasks: { 'exec:lint': { status: 'ran', startMs: 1, durationMs: 1500, because: 's3cr3t-value' } },
          }),
        })
        const env = { TOKEN: 's3cr3t-value', PATH: process.env['PATH'] ?? '' }
        const { code, stdout, stderr } = await stagecraft(['graph', '--format', 'html', '--out', 'graph.html'], { cwd: directory, env })
        assert.equal([code, stdout], [0, 'graph.html\n'], stderr)
        const html = readFileSync(join(directory, 'graph.html'), 'utf8')
        assert.not.match(html, 's3cr3t-value')
        resolve(html)
      }).catch(reject)
    }),
  async ({ page }) => {
    assert.is(await count(page, '.box'), 2)
    await box(page, 'lint').click()
    await tells(page, 'exec:lint')
    assert.match(await panelText(page), 'no result here yet')
    assert.match(await panelText(page), '1.5 s')
  },
)

test.run()
