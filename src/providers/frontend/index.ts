import type { ImageProvider } from '../provider.ts'
import { generic } from './generic.ts'

export const frontendProviders: readonly ImageProvider[] = [generic]
