import { backendProviders } from './backend/index.ts'
import type { CiProvider } from './ci.ts'
import type { CloudProvider } from './cloud.ts'
import { edgeProviders } from './edge/index.ts'
import type { EdgeProviderEntry } from './edge/settings.ts'
import { frontendProviders } from './frontend/index.ts'
import { migrationEngines } from './migration/index.ts'
import type { MigrationProvider } from './migration/provider.ts'
import type { NetworkProvider } from './network.ts'
import type { ImageProvider } from './provider.ts'
import { ProviderRegistry } from './registry.ts'
import type { SecretsProvider } from './secrets.ts'

/** Every registry the manifest is checked against. A block of a role without providers is refused as not supported. */
export interface Registries {
  readonly backend: ProviderRegistry<ImageProvider>
  readonly ci: ProviderRegistry<CiProvider>
  readonly cloud: ProviderRegistry<CloudProvider>
  readonly edge: ProviderRegistry<EdgeProviderEntry>
  readonly frontend: ProviderRegistry<ImageProvider>
  readonly migration: ProviderRegistry<MigrationProvider>
  readonly network: ProviderRegistry<NetworkProvider>
  readonly secrets: ProviderRegistry<SecretsProvider>
}

/** What this version comes with; a new set each time, so no test sees another's additions. */
export function builtInProviders(): Registries {
  return {
    backend: new ProviderRegistry('backend', backendProviders),
    ci: new ProviderRegistry('ci'),
    cloud: new ProviderRegistry('cloud'),
    edge: new ProviderRegistry('edge', edgeProviders),
    frontend: new ProviderRegistry('frontend', frontendProviders),
    migration: new ProviderRegistry('migration', migrationEngines),
    network: new ProviderRegistry('network'),
    secrets: new ProviderRegistry('secrets'),
  }
}
