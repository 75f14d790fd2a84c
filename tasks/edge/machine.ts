/** What a machine says about itself before its proxy is made. A machine that cannot say is a failure, not a guess. */
import { TaskFailure } from '../kind.ts'
import type { Exit, Host } from '../ports.ts'
import { edgeLabel } from './layout.ts'

/** Whoever owns the folder: a proxy of another user could not read what is in it. */
export async function ownUser(host: Host): Promise<string> {
  const exit = await host.run({ argv: ['id'] })
  const found = /uid=(\d+).* gid=(\d+)/.exec(exit.stdout)
  if (exit.code === 0 && found) return `${found[1]}:${found[2]}`
  throw cannotTell(host, exit, 'which user it is', 'id')
}

/** Names of all environments' networks for requests. */
export async function routedNetworks(host: Host): Promise<readonly string[]> {
  const filter = `label=${edgeLabel}.network`
  const exit = await host.run({ argv: ['docker', 'network', 'ls', '--filter', filter, '--format', '{{.Name}}'] })
  if (exit.code !== 0) throw cannotTell(host, exit, 'which networks its proxy belongs in', 'docker network ls')
  return exit.stdout.split('\n').filter((name) => name !== '')
}

function cannotTell({ name }: Host, { code, stdout, stderr }: Exit, what: string, program: string): TaskFailure {
  const output = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '')
  return new TaskFailure({
    reason: 'exit',
    subject: name,
    message: `${name} cannot tell ${what}: \`${program}\` ended with code ${code}`,
    output: output.slice(-5),
    remedy: `run it by hand on ${name}: ${program}`,
  })
}
