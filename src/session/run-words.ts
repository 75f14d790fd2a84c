import type { TaskId } from '../../graph/types.ts'
import type { GlobalOptions } from '../contracts.ts'
import { shortName } from '../ui/task-name.ts'
import type { World } from './open-world.ts'

/** What a person types to run one task again. */
export function againLine(id: TaskId, { env }: GlobalOptions): string {
  return `stagecraft run ${shortName(id)}${env === undefined ? '' : ` --env ${env}`}`
}

/** What was spent on connections, one line for each host. */
export function connectionLines(hosts: ReturnType<World['connections']>): string {
  return Object.entries(hosts)
    .map(([name, { connections, engineChannels, sftpChannels, tunnels, execs }]) => {
      const channels = `channels: ${engineChannels} engine, ${sftpChannels} files, ${tunnels} tunnels, ${execs} commands`
      return `${name}: ${connections} SSH connection${connections === 1 ? '' : 's'}; ${channels}\n`
    })
    .join('')
}
