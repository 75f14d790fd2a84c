import type { Provider, ProviderRole } from './provider.ts'

/** Told of registrations and look-ups, for tests and tracing. */
export interface RegistryHooks {
  readonly onRegistered?: (role: ProviderRole, id: string) => void
  readonly onLookup?: (role: ProviderRole, id: string, found: boolean) => void
}

/** A registry was asked for what it does not have, or given what it cannot hold. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError'
  readonly code: 'unknown_provider' | 'duplicate_provider' | 'empty_provider_id'
  readonly role: ProviderRole
  readonly id: string
  constructor(code: RegistryError['code'], role: ProviderRole, id: string, message: string) {
    super(message)
    this.code = code
    this.role = role
    this.id = id
  }
}

/** Providers of one role by id. Made explicitly, never by import side effects, so tests can have their own. */
export class ProviderRegistry<P extends Provider> {
  readonly role: ProviderRole
  readonly #providers = new Map<string, P>()
  readonly #hooks: RegistryHooks

  /** @throws RegistryError as {@link register} does. */
  constructor(role: ProviderRole, providers: readonly P[] = [], hooks: RegistryHooks = {}) {
    this.role = role
    this.#hooks = hooks
    for (const provider of providers) this.register(provider)
  }

  /** @throws RegistryError when the id is empty or taken: a mistake of ours, not of a user. */
  register(provider: P): void {
    const { id } = provider
    if (id.trim() === '') throw new RegistryError('empty_provider_id', this.role, id, `a ${this.role} provider has an empty id`)
    if (this.#providers.has(id)) {
      throw new RegistryError('duplicate_provider', this.role, id, `${this.role} provider \`${id}\` is registered twice`)
    }
    this.#providers.set(id, provider)
    this.#hooks.onRegistered?.(this.role, id)
  }

  /** @throws RegistryError when there is none; check with {@link has} what a user wrote. */
  get(id: string): P {
    const provider = this.#providers.get(id)
    this.#hooks.onLookup?.(this.role, id, provider !== undefined)
    if (provider) return provider
    throw new RegistryError('unknown_provider', this.role, id, `there is no ${this.role} provider \`${id}\``)
  }

  has(id: string): boolean {
    return this.#providers.has(id)
  }

  /** Sorted. */
  ids(): string[] {
    return [...this.#providers.keys()].sort()
  }

  /** Sorted by id. */
  list(): P[] {
    return this.ids().map((id) => this.get(id))
  }
}
