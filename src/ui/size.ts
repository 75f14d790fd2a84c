const units = ['bytes', 'KB', 'MB', 'GB', 'TB'] as const

/** Bytes as a person says them, in powers of 1000 as in the manifest: `1 byte`, `640 bytes`, `1.5 GB`. */
export function renderSize(bytes: number): string {
  if (bytes === 1) return '1 byte'
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  const text = unit === 0 || value >= 99.95 ? String(Math.round(value)) : value.toFixed(1).replace(/\.0$/, '')
  return `${text} ${units[unit]}`
}

/** `1 result`, `2 results`. */
export function renderCount(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

/** How long ago, for a person: `just now`, `3 hours ago`, `12 days ago`. */
export function renderAge(ageMs: number): string {
  const steps: readonly (readonly [ms: number, unit: string])[] = [
    [86_400_000, 'day'],
    [3_600_000, 'hour'],
    [60_000, 'minute'],
  ]
  for (const [ms, unit] of steps) if (ageMs >= ms) return `${renderCount(Math.floor(ageMs / ms), unit)} ago`
  return 'just now'
}
