import { detachedPid } from './detached.ts'
import { engineAnswers } from './engine.ts'
import { hostContainers } from './hosts.ts'
import { hostAddress, labLayout } from './layout.ts'
import { hasPart } from './packages.ts'

/** One line of the table that `up` and `status` print. */
export interface StatusRow {
  readonly name: string
  readonly state: string
  readonly address: string
  readonly note: string
}

/** What of the lab runs now. Changes nothing. */
export async function labStatus(): Promise<readonly StatusRow[]> {
  const layout = labLayout()
  const hasEngine = hasPart('docker') && (await engineAnswers())
  const program = async (name: 'registry' | 'postgres', address: string, note: string): Promise<StatusRow> => {
    const pid = await detachedPid(layout.dir, name)
    return { name, state: pid === undefined ? 'down' : 'running', address, note: pid === undefined ? '' : `pid ${pid}, ${note}` }
  }
  const ownEngine = await detachedPid(layout.dir, 'dockerd')
  const hosts = hasEngine ? await hostContainers() : []
  return [
    {
      name: 'engine',
      state: hasEngine ? 'running' : 'down',
      address: '',
      note: ownEngine === undefined ? '' : `pid ${ownEngine}, started by the lab`,
    },
    await program('registry', layout.registry.address, `DOCKER_CONFIG=${layout.dockerConfigDir}`),
    await program('postgres', `${layout.network.gateway}:${layout.postgresPort}`, `password in ${layout.dir}/credentials.json`),
    ...hosts
      .map(({ container, state }) => {
        const index = Number(container.slice(container.lastIndexOf('-') + 1))
        return { index, name: `host-${index}`, state, address: `${hostAddress(index)}:22`, note: container }
      })
      .sort((a, b) => a.index - b.index),
  ]
}

/** Aligns rows in columns. */
export function renderRows(rows: readonly StatusRow[]): string {
  const cells = [['', 'state', 'address', ''], ...rows.map((row) => [row.name, row.state, row.address, row.note])]
  const width = (column: number) => Math.max(...cells.map((line) => line[column]?.length ?? 0))
  return cells
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(width(column)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
