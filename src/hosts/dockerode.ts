/** The library that speaks with an Engine, told of one that is reached through an agent of ours. Loaded when first asked for. */
import type Dockerode from 'dockerode'
import { type EngineAgent, engineSocket } from './ssh-engine-agent.ts'

/** The library reads DOCKER_HOST and its kin for whatever it is not given, so it is given everything; `agent` is not in its types. */
export async function openDockerode(agent: EngineAgent): Promise<Dockerode> {
  const { default: Docker } = await import('dockerode')
  const unset = Object.fromEntries(['host', 'port', 'key', 'cert', 'ca', 'timeout', 'pathPrefix'].map((name) => [name, undefined]))
  const options = { ...unset, agent, protocol: 'http' as const, socketPath: engineSocket }
  return new Docker(options)
}
