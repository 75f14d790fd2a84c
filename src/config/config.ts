import type { z } from 'zod'
import type { Json, Location } from '../../graph/types.ts'
import type { Registries } from '../providers/built-in.ts'
import type { JsonPath } from './json-path.ts'
import type { ProviderBlock } from './provider-blocks.ts'
import type { manifest } from './schema.ts'

/** A checked manifest in the words of the user, every default filled in. Deeply frozen. */
export type Config = Omit<z.output<typeof manifest>, 'backend' | 'frontend' | 'edge'> & {
  readonly backend?: ProviderBlock
  readonly frontend?: ProviderBlock
  readonly edge?: ProviderBlock
  readonly ci?: ProviderBlock
  readonly cloud?: ProviderBlock
  readonly network?: ProviderBlock
  readonly secrets?: ProviderBlock
}

/** A manifest and where it came from. */
export interface LoadedConfig {
  readonly config: Config
  /** Absolute. */
  readonly path: string
  /** Absolute folder of the manifest: the project. */
  readonly directory: string
  /** As messages name it. */
  readonly file: string
  /** The manifest as it was written, before defaults and short forms were filled in. */
  readonly source: Json
  /** What the provider blocks were checked against. */
  readonly registries: Registries
  /** The line that says what stands at a path of the manifest; for what it leaves out, the nearest thing around it. */
  readonly locate: (path: JsonPath) => Location
  /** The key of a map's member. */
  readonly locateKey: (path: JsonPath) => Location
}
