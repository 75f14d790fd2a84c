/** How long a run has waited for look-ups that found nothing. */
export interface LookUpBudget {
  /** Call before a look-up, and the result after it. */
  begin(): (found: boolean) => void
  /** They took longer than they may, and none since has found anything. */
  isSpent(): boolean
}

/**
 * Counts the time in which at least one look-up was under way: many at once cost what one costs. A hit starts the count anew, as a cache that
 * is slow and has what is wanted still pays.
 * @param now milliseconds from any start.
 */
export function lookUpBudget(maxMs: number, now: () => number): LookUpBudget {
  let underWay = 0
  let since = 0
  let spentMs = 0
  const waited = (): number => spentMs + (underWay > 0 ? now() - since : 0)
  return {
    begin() {
      if (underWay === 0) since = now()
      underWay += 1
      return (found) => {
        spentMs = found ? 0 : waited()
        since = now()
        underWay -= 1
      }
    },
    isSpent: () => waited() > maxMs,
  }
}
