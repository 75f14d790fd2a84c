/** What the manifest says that a swarm cannot do: refused, for what is read and ignored is a promise broken in production. */
import type { Service } from '../contracts.ts'
import { problem } from './diagnostic.ts'
import { transferOf } from './image-build.ts'
import { type JsonPath, own } from './json-path.ts'
import { type Setting, serviceOrigin } from './setting.ts'

export function checkSwarmManifest(setting: Setting, services: readonly Service[]): void {
  const { loaded, environment, environmentName, report } = setting
  const at: JsonPath = ['environments', environmentName]
  const refuse = (path: JsonPath, what: string, instead: string) =>
    report(problem('SC1055', `${what} on a swarm`, loaded.locateKey(path), { notes: [{ message: instead }] }))
  for (const key of ['canary', 'batch'] as const) {
    if (environment.rollout[key] === undefined) continue
    refuse(
      [...at, 'rollout', key],
      `\`rollout.${key}\` cannot be had`,
      'copies follow each other by `deploy.update_config` of the Compose file',
    )
  }
  if (environment.env_file?.startsWith('/')) {
    refuse(
      [...at, 'env_file'],
      '`env_file` on hosts cannot be had',
      'nodes of a swarm have no files of their own: name one on this machine',
    )
  }
  if (transferOf(setting) === 'ssh') {
    const path = environment.transfer === undefined ? ['project', 'transfer'] : [...at, 'transfer']
    refuse(path, '`transfer: ssh` cannot be had', 'nodes of a swarm fetch images themselves: give the project a `registry`')
  }
  const drivers: readonly (readonly [JsonPath, string | undefined])[] = [
    [[...at, 'rollout', 'driver'], environment.rollout.driver],
    ...services.flatMap(({ name }): (readonly [JsonPath, string | undefined])[] => [
      [['services', name, 'rollout', 'driver'], own(loaded.config.services, name)?.rollout.driver],
      [[...at, 'services', name, 'rollout', 'driver'], own(environment.services, name)?.rollout.driver],
    ]),
  ]
  for (const [path, driver] of drivers) {
    if (driver !== undefined && driver !== 'native') refuse(path, `driver \`${driver}\` cannot be had`, 'the swarm itself rolls services')
  }
  for (const service of services) {
    const { name } = service
    const location = serviceOrigin(setting, name)
    if (service.health) {
      const notes = [{ message: 'add `healthcheck` in the Compose file: the swarm itself waits for that' }]
      report(
        problem('SC1055', `\`health\` of service \`${name}\` cannot be asked for on a swarm, whose networks are its own`, location, {
          notes,
        }),
      )
    }
    if (service.route) {
      const notes = [
        {
          message: `publish a port in the Compose file, and lead a load balancer to it; \`environments.${environmentName}.services.${name}.route: false\` takes the route away here`,
        },
      ]
      report(problem('SC1057', `service \`${name}\` has a \`route\`, and the edge does not reach services of a swarm`, location, { notes }))
    }
  }
  for (const [name, hook] of Object.entries({ ...loaded.config.hooks, ...environment.hooks })) {
    if (hook === false || hook.on === undefined) continue
    const path = environment.hooks[name] === undefined ? ['hooks', name, 'on'] : [...at, 'hooks', name, 'on']
    refuse(path, `hook \`${name}\` cannot run in a container of \`${hook.on}\``, 'leave out `on`, and it runs on this machine')
  }
  for (const [name, { service }] of Object.entries(loaded.config.databases)) {
    if (service === undefined) continue
    const path = ['databases', name, 'service']
    refuse(path, `database \`${name}\` in service \`${service}\` cannot be reached`, 'run it outside of the swarm, and leave out `service`')
  }
}
