/** A swarm, through the Engine API of one of its managers, over the host's SSH connection. */
import type { JsonObject } from '../../graph/types.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import type { RegistryCredentials, Swarm, SwarmObjectKind, SwarmState } from '../../tasks/ports.ts'
import { environmentFilter } from './container-state.ts'
import type { EngineScope } from './engine.ts'
import { openBytes, openStream } from './engine-bytes.ts'
import { logLines } from './engine-logs.ts'
import { outputOf, outputQuery } from './engine-output.ts'
import { askEngine, type EngineRequest } from './engine-request.ts'
import type { SshConnection } from './ssh-connection.ts'
import { type EngineAgent, engineHost } from './ssh-engine-agent.ts'
import { byName, type NodeRow, nodeOf, type ServiceRow, serviceOf, type TaskRow, taskOf } from './swarm-rows.ts'

/** `state` is the one look at all services of the environment. */
export type RemoteSwarm = Swarm & { state(): Promise<SwarmState> }

/** What the Engine answers where there is no swarm, or only a worker of one. */
const noManager = 503

export function createSwarm(connection: SshConnection, agent: EngineAgent, scope: EngineScope): RemoteSwarm {
  const own = environmentFilter(scope.project, scope.environment)
  const labels = { 'stagecraft.project': scope.project, 'stagecraft.env': scope.environment }
  let nodeNames: Promise<ReadonlyMap<string, string>> | undefined

  async function ask(wanted: EngineRequest): Promise<{ readonly status: number; readonly json: unknown }> {
    const answer = await askEngine(connection, agent, { ...wanted, expected: [...(wanted.expected ?? []), noManager] })
    if (answer.status !== noManager) return answer
    const { name } = await connection.settings()
    const said = String((answer.json as { readonly message?: unknown } | undefined)?.message ?? 'the Engine answered 503')
    throw new TaskFailure({
      reason: 'refused',
      subject: name,
      message: `${name} is not a manager of a swarm: ${said.split('. ')[0]}`,
      remedy: `on ${name}: \`docker swarm init\`, or \`docker node promote\` on another manager; or name a manager as primary_host`,
    })
  }

  const get = async (what: string, path: string, filters?: object): Promise<unknown> => {
    const query = filters === undefined ? '' : `${path.includes('?') ? '&' : '?'}filters=${encodeURIComponent(JSON.stringify(filters))}`
    return (await ask({ what, method: 'GET', path: `${path}${query}` })).json
  }

  const nodes = async () =>
    ((await get('list nodes', '/nodes')) as readonly NodeRow[]).map(nodeOf).sort((a, b) => (a.hostname < b.hostname ? -1 : 1))
  const hostnames = () => {
    nodeNames ??= nodes().then((found) => new Map(found.map(({ id, hostname }) => [id, hostname])))
    return nodeNames
  }
  const list = async (kind: SwarmObjectKind, filters: object) =>
    ((await get(`list ${kind}`, `/${kind}`, filters)) as readonly ObjectRow[]).map(objectOf).sort(byName)

  return {
    async state() {
      const rows = (await get('list services', '/services?status=true', own)) as readonly ServiceRow[]
      return { services: rows.map(serviceOf).sort(byName) }
    },

    async service(id) {
      const { status, json } = await ask({ what: 'look at a service', method: 'GET', path: `/services/${id}`, expected: [404] })
      return status === 404 ? undefined : serviceOf(json as ServiceRow)
    },

    async create(spec, credentials) {
      const what = `make service ${String(spec['Name'])}`
      const { json } = await ask({ what, method: 'POST', path: '/services/create', body: spec, headers: registryAuth(credentials) })
      return String((json as { readonly ID?: string }).ID)
    },

    async update({ id, name, version }, spec, credentials) {
      const path = `/services/${id}/update?version=${version}`
      await ask({ what: `change service ${name}`, method: 'POST', path, body: spec, headers: registryAuth(credentials) })
    },

    async rollBack({ id, name, spec }) {
      const what = `roll back service ${name}`
      const { json } = await ask({ what, method: 'GET', path: `/services/${id}` })
      // Its version grows with every step of a change: only the newest look has the right one.
      const path = `/services/${id}/update?version=${serviceOf(json as ServiceRow).version}&rollback=previous&registryAuthFrom=previous-spec`
      await ask({ what, method: 'POST', path, body: spec })
    },

    async remove({ id, name }) {
      await ask({ what: `remove service ${name}`, method: 'DELETE', path: `/services/${id}`, expected: [404] })
    },

    async tasks(service) {
      const [rows, names] = await Promise.all([get('list copies', '/tasks', { service: [service] }), hostnames()])
      return (rows as readonly TaskRow[]).map((row) => taskOf(row, names)).sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
    },

    async output(service, request, signal) {
      const query = new URLSearchParams(
        Object.entries(outputQuery(request)).map(([name, value]): [string, string] => [name, String(value)]),
      )
      const stream = await openStream(connection, agent, 'read the output of a service', `/services/${service}/logs?${query}`)
      return outputOf(stream, signal, async (error) => {
        const { name, where } = await engineHost(connection)
        const message = `the output of a service of the swarm on ${where} broke off: ${error.message}`
        return new TaskFailure({ reason: 'unreachable', subject: name, message }, { cause: error })
      })
    },

    async taskLogs(task, lines) {
      const path = `/tasks/${task}/logs?stdout=1&stderr=1&tail=${lines}`
      return logLines(await openBytes(connection, agent, 'read the output of a copy', path))
    },

    nodes,

    async label({ id, hostname, version, spec }, wanted) {
      const body = { ...spec, Labels: wanted }
      await ask({ what: `set labels of node ${hostname}`, method: 'POST', path: `/nodes/${id}/update?version=${version}`, body })
    },

    objects: (kind) => list(kind, own),

    async find(kind, name) {
      const filters = kind === 'networks' ? { name: [name], scope: ['swarm'] } : { name: [name] }
      // The filter takes what begins like it, too.
      return (await list(kind, filters)).find((object) => object.name === name)
    },

    async make(kind, definition) {
      const own = definition['Labels'] as JsonObject | undefined
      const body = { ...definition, Labels: { ...own, ...labels } }
      const what = `make ${kind.replace(/s$/, '')} ${String(definition['Name'])}`
      const { status, json } = await ask({ what, method: 'POST', path: `/${kind}/create`, body, expected: [409] })
      const made = (json as { readonly ID?: string; readonly Id?: string } | undefined) ?? {}
      const id = status === 409 ? (await this.find(kind, String(definition['Name'])))?.id : (made.ID ?? made.Id)
      if (id !== undefined) return id
      throw new TaskFailure({ reason: 'refused', subject: String(definition['Name']), message: `${what}: the Engine gave no id` })
    },

    async discard(kind, id) {
      const what = `remove one of the ${kind}`
      const { status } = await ask({ what, method: 'DELETE', path: `/${kind}/${id}`, expected: [400, 403, 404, 409] })
      return status < 400
    },
  }
}

interface ObjectRow {
  readonly ID?: string
  readonly Id?: string
  readonly Name?: string
  readonly Spec?: { readonly Name?: string }
}

function objectOf({ ID, Id, Name, Spec }: ObjectRow): { readonly id: string; readonly name: string } {
  return { id: ID ?? Id ?? '', name: Spec?.Name ?? Name ?? '' }
}

/** The swarm hands it to every node that pulls; it is part of no spec that can be read. */
function registryAuth(credentials: RegistryCredentials | undefined): Readonly<Record<string, string>> {
  if (credentials === undefined) return {}
  // For URLs and yet padded: nodes take nothing else.
  const encoded = Buffer.from(JSON.stringify(credentials)).toString('base64').replaceAll('+', '-').replaceAll('/', '_')
  return { 'X-Registry-Auth': encoded }
}
