import { parseArgs } from 'node:util'
import { closeLab, labObstacle, openLab } from './lab.ts'
import { labStatus, renderRows } from './status.ts'

const usage = 'usage: node --import tsx test/lab/main.ts up [--hosts N] | down [--all] | status'

/** The lab's command line. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { hosts: { type: 'string' }, all: { type: 'boolean' } },
  })
  const startedAt = performance.now()
  const since = () => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`
  switch (positionals.join(' ')) {
    case 'up': {
      const lab = await openLab({ hosts: Number(values.hosts ?? 2), report: (line) => console.log(`${since().padStart(8)}  ${line}`) })
      console.log(`\n${renderRows(await labStatus())}\n`)
      const [first] = lab.hosts
      const options = `-i ${lab.identityFile} -o UserKnownHostsFile=${lab.knownHostsFile} -o StrictHostKeyChecking=yes`
      console.log(`ssh ${options} ${lab.users[1]}@${first?.address ?? ''}`)
      console.log(`images: ${lab.images.busybox} ${lab.images.postgres}`)
      console.log(`up in ${since()}`)
      return 0
    }
    case 'down':
      await closeLab({ all: values.all ?? false })
      console.log(`down in ${since()}`)
      return 0
    case 'status': {
      const obstacle = await labObstacle()
      console.log(obstacle === undefined ? renderRows(await labStatus()) : `no lab here: ${obstacle}`)
      return 0
    }
    default:
      console.error(usage)
      return 1
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
}
