/** The proxy of a machine as a Compose project of its own. Pure. */
import { digestOf } from '../../graph/fingerprint.ts'
import type { JsonObject } from '../../graph/types.ts'
import { dataFolder, edgeLabel, mountPoint, ports, proxyProject, proxyService } from './layout.ts'
import { noNeeds, type ProxyNeeds, withoutAddresses } from './needs.ts'
import type { EdgeProvider } from './route.ts'
import { traefikStatic } from './traefik-static.ts'
import { renderYaml } from './yaml.ts'

export const traefikStaticFile = 'traefik.yml'

export interface ProxySettings {
  readonly provider: EdgeProvider
  readonly image: string
  /** Absolute: the edge's folder on the host. */
  readonly directory: string
  readonly needs: ProxyNeeds
}

const commands: Readonly<Record<EdgeProvider, readonly string[]>> = {
  caddy: ['caddy', 'run', '--config', `${mountPoint}/caddy.json`],
  traefik: ['traefik', `--configFile=${mountPoint}/${traefikStaticFile}`],
}

/**
 * Changes when the container must be replaced for everybody. What single environments ask for is compared with its own label;
 * the user it runs as is the host's matter.
 */
export function proxyHash(settings: Omit<ProxySettings, 'needs'>): string {
  const bare = { ...settings, needs: noNeeds }
  return digestOf(JSON.stringify([definition(bare, 'user', ''), startFiles(bare)])).slice(0, 16)
}

/** Files it reads only when it starts. */
export function startFiles({ provider, needs }: ProxySettings): Readonly<Record<string, string>> {
  return provider === 'caddy' ? {} : { [traefikStaticFile]: renderYaml(traefikStatic(needs)) }
}

/** `user` is `uid:gid` of whoever owns the folder, so that files with secrets need be readable by nobody else. */
export function proxyCompose(settings: ProxySettings, user: string): string {
  const proxy = definition(settings, user, proxyHash(settings))
  return renderYaml({ name: proxyProject, services: { [proxyService]: proxy } })
}

function definition({ provider, image, directory, needs }: ProxySettings, user: string, hash: string): JsonObject {
  const published = [`${ports.http}:${ports.http}`, `${ports.https}:${ports.https}`]
  return {
    image,
    command: [...commands[provider]],
    user,
    restart: 'unless-stopped',
    ports: [...published, ...needs.published.map((inner) => `${inner}:${inner.slice(inner.lastIndexOf(':') + 1)}`)],
    volumes: [`${directory}:${mountPoint}:ro`, `${directory}/${dataFolder}:/data`],
    environment: { HOME: '/data', XDG_CONFIG_HOME: '/data', XDG_DATA_HOME: '/data' },
    labels: {
      [edgeLabel]: 'true',
      [`${edgeLabel}.provider`]: provider,
      [`${edgeLabel}.needs`]: JSON.stringify(withoutAddresses(needs)),
      [`${edgeLabel}.hash`]: hash,
    },
    stop_grace_period: '30s',
  }
}
