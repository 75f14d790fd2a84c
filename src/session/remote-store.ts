/** The store behind a remote cache's address; each kind is loaded when it is the one. */
import type { RemoteStore } from '../../cache/remote-store.ts'
import type { App } from '../contracts.ts'
import type { RemoteUse } from './remote-settings.ts'

/** @throws Error when the address, or who we are to it, cannot be used. Nothing is asked yet. */
export async function openRemoteStore({ address, token, credentials, timeoutMs }: RemoteUse, env: App['env']): Promise<RemoteStore> {
  // Half of the time is left for the answer.
  const patienceMs = timeoutMs / 2
  switch (address.kind) {
    case 'http': {
      const { openHttpStore } = await import('../../cache/remote/http.ts')
      const authorization = token === undefined ? credentials && basic(credentials) : `Bearer ${token}`
      const { proxyFor } = await import('../../cache/remote/proxy.ts')
      const url = new URL(address.url)
      const proxy = proxyFor(url, env)
      return openHttpStore({ url, patienceMs, ...(authorization !== undefined && { authorization }), ...(proxy && { proxy }) })
    }
    case 'oci': {
      const { openOciStore } = await import('../../cache/remote/oci.ts')
      const { registryTransport } = await import('../hosts/registry-transport.ts')
      return openOciStore({ name: address.url, transport: registryTransport(address.reference, { environment: env, patienceMs }) })
    }
    case 's3': {
      const { openS3Store } = await import('../../cache/remote/s3.ts')
      const { proxyFor } = await import('../../cache/remote/proxy.ts')
      const { locateBucket, objectUrl } = await import('../../cache/remote/s3-location.ts')
      const { findS3Credentials } = await import('../../cache/remote/s3-credentials.ts')
      const location = locateBucket(address.bucket, env)
      const proxy = proxyFor(objectUrl(location, ''), env)
      return openS3Store({
        location,
        patienceMs,
        credentials: () => findS3Credentials(env, location.endpoint),
        ...(proxy && { proxy }),
      })
    }
  }
}

function basic({ user, password }: { readonly user: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}
