/** The store behind a remote cache's address; each kind is loaded when it is the one. */
import type { RemoteStore } from '../../cache/remote-store.ts'
import type { App } from '../contracts.ts'
import type { RemoteUse } from './remote-settings.ts'

/** @throws Error when the address, or who we are to it, cannot be used. Nothing is asked yet. */
export async function openRemoteStore({ address, token, credentials }: RemoteUse, env: App['env']): Promise<RemoteStore> {
  switch (address.kind) {
    case 'http': {
      const { openHttpStore } = await import('../../cache/remote/http.ts')
      const authorization = token === undefined ? credentials && basic(credentials) : `Bearer ${token}`
      return openHttpStore({ url: new URL(address.url), ...(authorization !== undefined && { authorization }) })
    }
    case 'oci': {
      const { openOciStore } = await import('../../cache/remote/oci.ts')
      const { registryTransport } = await import('../hosts/registry-transport.ts')
      return openOciStore({ name: address.url, transport: registryTransport(address.reference, { environment: env }) })
    }
    case 's3': {
      const { openS3Store } = await import('../../cache/remote/s3.ts')
      const { locateBucket } = await import('../../cache/remote/s3-location.ts')
      const { findS3Credentials } = await import('../../cache/remote/s3-credentials.ts')
      const location = locateBucket(address.bucket, env)
      return openS3Store({ location, credentials: () => findS3Credentials(env, location.endpoint) })
    }
  }
}

function basic({ user, password }: { readonly user: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}
