import type { Provider } from '../provider.ts'
import { raw } from './raw.ts'

export const migrationEngines: readonly Provider[] = [raw]
