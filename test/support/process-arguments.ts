import { readdirSync, readFileSync } from 'node:fs'

/** Collects the arguments of every process of this machine until stopped: what `ps` could have shown anybody. */
export function sampleArguments(everyMs = 15): { stop(): string } {
  const seen = new Set<string>()
  const look = () => {
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue
      try {
        seen.add(readFileSync(`/proc/${name}/cmdline`, 'utf8'))
      } catch (error) {
        // It ended between the listing and the look.
        if (!['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
      }
    }
  }
  const timer = setInterval(look, everyMs)
  return {
    stop() {
      clearInterval(timer)
      return [...seen].join('\n')
    },
  }
}
