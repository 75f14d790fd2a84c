const block = [
  '# Stagecraft: its cache and history are local, what you write beside them is not',
  '.stagecraft/*',
  '!.stagecraft/agent/',
  '!.stagecraft/tests/',
]

/** The `.gitignore` with our lines, or undefined when it already speaks of `.stagecraft`, whatever it says. Pure. */
export function withIgnoredFolder(gitignore: string | undefined): string | undefined {
  const text = gitignore ?? ''
  const isMentioned = text.split(/\r?\n/).some((line) => /^!?\/?(\*\*\/)?\.stagecraft(\/|\s*$)/.test(line.trim()))
  if (isMentioned) return undefined
  const separator = text === '' ? '' : text.endsWith('\n') ? '\n' : '\n\n'
  return `${text}${separator}${block.join('\n')}\n`
}
