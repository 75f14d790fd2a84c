/** The plugin docker-rollout as it is published (MIT, https://github.com/wowu/docker-rollout): found or fetched when it is wanted; no copy of it is kept here. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Shop } from './shop.ts'

const release = 'https://raw.githubusercontent.com/wowu/docker-rollout/v0.13/docker-rollout'
const pluginPath = '/usr/local/lib/docker/cli-plugins/docker-rollout'

/** Its text from STAGECRAFT_TEST_DOCKER_ROLLOUT, or from where Docker looks for plugins on this machine. */
export function installedPlugin(): string | undefined {
  const paths = [process.env['STAGECRAFT_TEST_DOCKER_ROLLOUT'], join(homedir(), '.docker/cli-plugins/docker-rollout'), pluginPath]
  const found = paths.find((path) => path !== undefined && existsSync(path))
  return found === undefined ? undefined : readFileSync(found, 'utf8')
}

/** The same, else from its release. Undefined where none can be had. */
export function pluginText(): string | undefined {
  const found = installedPlugin()
  if (found !== undefined) return found
  try {
    return execFileSync('curl', ['--silent', '--fail', '--location', '--max-time', '20', release], { encoding: 'utf8' })
  } catch {
    // Without a way there, or without curl.
    return undefined
  }
}

/** @returns what takes it away from the host again. */
export function installPlugin(shop: Shop, text: string): () => void {
  const install = 'mkdir -p "$(dirname "$2")" && printf %s "$1" > "$2" && chmod 755 "$2"'
  shop.onHost('sh', '-c', install, 'sh', text, pluginPath)
  return () => void shop.onHost('rm', '-f', pluginPath)
}
