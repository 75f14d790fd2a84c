/** The store behind a remote cache's address; each kind is loaded when it is the one. */
import type { RemoteStore } from '../../cache/remote-store.ts'
import type { RemoteUse } from './remote-settings.ts'

export async function openRemoteStore({ address, token, credentials }: RemoteUse): Promise<RemoteStore> {
  if (address.kind !== 'http') throw new Error(`no store for ${address.kind} yet`)
  const { openHttpStore } = await import('../../cache/remote/http.ts')
  const authorization = token === undefined ? credentials && basic(credentials) : `Bearer ${token}`
  return openHttpStore({ url: new URL(address.url), ...(authorization !== undefined && { authorization }) })
}

function basic({ user, password }: { readonly user: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}
