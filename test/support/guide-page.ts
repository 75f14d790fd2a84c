/** The commands and files of a page of the guide, in the order in which a reader meets them. */
import { readFileSync } from 'node:fs'

export interface GuideCommand {
  /** `docs/guide/page.md:12` */
  readonly place: string
  /** On each server as root, or in a shell on the reader's machine. */
  readonly where: 'server' | 'here'
  readonly command: string
  /** Its exit code, 0 unless the page says so: `# fails, with code 2`. */
  readonly code: number
  /** Lines that the page shows below it. */
  readonly said: readonly string[]
}

export interface GuideFile {
  readonly place: string
  readonly name: string
  readonly text: string
}

export type GuideStep = GuideCommand | GuideFile

/**
 * Blocks marked `guide`: a `console` with commands after `# ` for a server and `$ ` for here, and files, which are called as the block says.
 *
 * @throws when a console of the page is not marked, for every command of a guide is run.
 */
export function guideSteps(file: string, page: string): readonly GuideStep[] {
  const text = readFileSync(file, 'utf8')
  const unmarked = text.match(/^```(console|sh|yaml)$/m)
  if (unmarked) throw new Error(`${page}: a block of ${unmarked[1]} that is not marked`)
  return [...text.matchAll(/^```(\w+) guide ?(\S*)\n([\s\S]*?)^```$/gm)].flatMap(
    ({ 1: language, 2: word = '', 3: body = '', index }): readonly GuideStep[] => {
      const line = text.slice(0, index).split('\n').length
      return language === 'console' ? commandsOf(body, word, page, line) : [{ place: `${page}:${line}`, name: word, text: body }]
    },
  )
}

function commandsOf(body: string, word: string, page: string, line: number): readonly GuideCommand[] {
  const prompt = word === 'server' ? '# ' : '$ '
  const commands: (GuideCommand & { readonly said: string[] })[] = []
  for (const [index, text] of body.trimEnd().split('\n').entries()) {
    if (!text.startsWith(prompt)) {
      commands.at(-1)?.said.push(text)
      continue
    }
    const [, command = '', code = '0'] = /^(.*?)(?: +# fails, with code (\d+))?$/.exec(text.slice(prompt.length)) ?? []
    const where = word === 'server' ? 'server' : 'here'
    commands.push({ place: `${page}:${line + 1 + index}`, where, command, code: Number(code), said: [] })
  }
  return commands
}
