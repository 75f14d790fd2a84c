/** The proxy of a machine as a Compose project of its own. Pure. */
import { digestOf } from '../../graph/fingerprint.ts'
import type { JsonObject } from '../../graph/types.ts'
import { dataFolder, edgeLabel, mountPoint, ports, proxyProject, proxyService } from './layout.ts'
import type { EdgeProvider } from './route.ts'
import { renderYaml } from './yaml.ts'

export const traefikStaticFile = 'traefik.yml'

export interface ProxySettings {
  readonly provider: EdgeProvider
  readonly image: string
  /** Absolute: the edge's folder on the host. */
  readonly directory: string
  /** Address and port where other machines reach this one; undefined when none does. */
  readonly inner?: string
  /** Of files it reads only when it starts. */
  readonly files: Readonly<Record<string, string>>
}

const commands: Readonly<Record<EdgeProvider, readonly string[]>> = {
  caddy: ['caddy', 'run', '--config', `${mountPoint}/caddy.json`],
  traefik: ['traefik', `--configFile=${mountPoint}/${traefikStaticFile}`],
}

/** Changes when the container must be replaced; the user it runs as is the host's matter. */
export function proxyHash(settings: ProxySettings): string {
  return digestOf(JSON.stringify([definition(settings, 'user', ''), settings.files])).slice(0, 16)
}

/** `user` is `uid:gid` of whoever owns the folder, so that files with secrets need be readable by nobody else. */
export function proxyCompose(settings: ProxySettings, user: string): string {
  const proxy = definition(settings, user, proxyHash(settings))
  return renderYaml({ name: proxyProject, services: { [proxyService]: proxy } })
}

function definition({ provider, image, directory, inner }: ProxySettings, user: string, hash: string): JsonObject {
  const published = [`${ports.http}:${ports.http}`, `${ports.https}:${ports.https}`]
  return {
    image,
    command: [...commands[provider]],
    user,
    restart: 'unless-stopped',
    ports: [...published, ...(inner === undefined ? [] : [`${inner}:${inner.slice(inner.lastIndexOf(':') + 1)}`])],
    volumes: [`${directory}:${mountPoint}:ro`, `${directory}/${dataFolder}:/data`],
    environment: { HOME: '/data', XDG_CONFIG_HOME: '/data', XDG_DATA_HOME: '/data' },
    labels: {
      [edgeLabel]: 'true',
      [`${edgeLabel}.provider`]: provider,
      [`${edgeLabel}.inner`]: inner ?? '',
      [`${edgeLabel}.hash`]: hash,
    },
    stop_grace_period: '30s',
  }
}
