/** Ports whose libraries are loaded when they are first asked for anything. */
import { join } from 'node:path'
import type { Builder, Registry } from '../../tasks/ports.ts'
import type { App } from '../contracts.ts'
import type { OpenSpool } from '../hosts/image-spool.ts'

/** Docker on this machine. */
export function lazyBuilder(registry: Registry, redact: (text: string) => string, signal: AbortSignal): Builder {
  const load = memo(async () => {
    const { createBuilder } = await import('../hosts/builder.ts')
    return createBuilder({ registry, redact, signal })
  })
  return {
    build: async (request, onLine, signal) => (await load()).build(request, onLine, signal),
    buildWith: async (command, reference, onLine, signal) => (await load()).buildWith(command, reference, onLine, signal),
    imageId: async (reference) => (await load()).imageId(reference),
    layers: async (reference) => (await load()).layers(reference),
    save: async (reference, signal) => (await load()).save(reference, signal),
    tag: async (imageId, reference) => (await load()).tag(imageId, reference),
    push: async (reference, onLine, signal) => (await load()).push(reference, onLine, signal),
  }
}

/** Layers on their way to hosts. @param directory the project's. */
export function lazySpool(directory: string): OpenSpool {
  let made: Promise<OpenSpool> | undefined
  const load = () => {
    made ??= import('../hosts/image-spool.ts').then(({ createImageSpool }) => createImageSpool(join(directory, '.stagecraft', 'transfer')))
    return made
  }
  return {
    take: async (request, signal) => (await load()).take(request, signal),
    async close() {
      await (await made)?.close()
    },
  }
}

/** The registries that images are in. */
export function lazyRegistry(app: App): Registry {
  const load = memo(async () => {
    const { createRegistry } = await import('../hosts/registry.ts')
    return createRegistry({ environment: app.env, signal: app.signal })
  })
  return {
    manifest: async (reference) => (await load()).manifest(reference),
    publishIndex: async (reference, images) => (await load()).publishIndex(reference, images),
    forget: (reference) => void load().then((registry) => registry.forget(reference)),
    credentials: async (reference) => (await load()).credentials(reference),
  }
}

/** Asks once, on first use. */
export function memo<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}
