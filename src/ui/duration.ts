/** A duration as a person says it: `42ms`, `3.2s`, `1m 04s`, `2h 05m`. */
export function renderDuration(durationMs: number): string {
  if (durationMs < 100) return `${Math.max(0, Math.round(durationMs))}ms`
  if (durationMs < 59_950) return `${(durationMs / 1000).toFixed(1)}s`
  const seconds = Math.round(durationMs / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${pad(seconds % 60)}s`
  const minutes = Math.round(seconds / 60)
  return `${Math.floor(minutes / 60)}h ${pad(minutes % 60)}m`
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}
