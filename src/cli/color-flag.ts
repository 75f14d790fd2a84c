/** Errors in the command line itself are painted too, so this reads `--color` before anything is parsed. The last one wins. */
export function colorFlag(argv: readonly string[]): boolean | undefined {
  const options = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined)
  const said = options.filter((arg) => /^--(no-)?color(=|$)/.test(arg)).at(-1)
  return said === undefined ? undefined : said.startsWith('--no-') === /=(0|f|false)$/i.test(said)
}
