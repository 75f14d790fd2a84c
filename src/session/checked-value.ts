import type { Checked } from '../../graph/types.ts'
import { InputError } from '../contracts.ts'

/** @throws InputError with everything that is wrong. */
export function checkedValue<T>(checked: Checked<T>): T {
  if (checked.ok) return checked.value
  throw new InputError(checked.diagnostics)
}
