import type { ImageProvider } from '../provider.ts'
import { generic } from './generic.ts'

export const backendProviders: readonly ImageProvider[] = [generic]
