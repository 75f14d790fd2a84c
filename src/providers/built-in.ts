import { backendProviders } from './backend/index.ts'
import { edgeProviders } from './edge/index.ts'
import type { EdgeProviderEntry } from './edge/settings.ts'
import { frontendProviders } from './frontend/index.ts'
import { migrationEngines } from './migration/index.ts'
import type { MigrationProvider } from './migration/provider.ts'
import type { ImageProvider } from './provider.ts'
import { ProviderRegistry } from './registry.ts'

/** Every registry the manifest is checked against. */
export interface Registries {
  readonly backend: ProviderRegistry<ImageProvider>
  readonly edge: ProviderRegistry<EdgeProviderEntry>
  readonly frontend: ProviderRegistry<ImageProvider>
  readonly migration: ProviderRegistry<MigrationProvider>
}

/** What this version comes with; a new set each time, so no test sees another's additions. */
export function builtInProviders(): Registries {
  return {
    backend: new ProviderRegistry('backend', backendProviders),
    edge: new ProviderRegistry('edge', edgeProviders),
    frontend: new ProviderRegistry('frontend', frontendProviders),
    migration: new ProviderRegistry('migration', migrationEngines),
  }
}
