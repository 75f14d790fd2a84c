import type { ImageProvider } from '../provider.ts'
import { encoreTs } from './encore-ts.ts'
import { generic } from './generic.ts'

export const backendProviders: readonly ImageProvider[] = [encoreTs, generic]
