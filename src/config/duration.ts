const secondsPerUnit: Readonly<Record<string, number>> = { us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

/**
 * Seconds of a Compose duration (`1m30s`, `500ms`, `1.5h`), or undefined when it is none.
 * Source: https://github.com/compose-spec/compose-spec/blob/main/11-extension.md#specifying-durations
 */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0
  if (!/^(?:\d+(?:\.\d+)?(?:us|µs|ms|s|m|h|d|w))+$/.test(text)) return undefined
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(us|µs|ms|s|m|h|d|w)/g)
  return [...parts].reduce((total, [, amount, unit]) => total + Number(amount) * (secondsPerUnit[unit ?? ''] ?? 0), 0)
}
