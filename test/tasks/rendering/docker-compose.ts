import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const version = spawnSync('docker', ['compose', 'version', '--short'], { encoding: 'utf8' })

/** Whether Docker Compose v2 or later is on this machine. No engine is needed to read a file. */
export const hasCompose = version.status === 0
if (!hasCompose) process.stderr.write('docker compose is not on this machine: tests against it are skipped\n')

/** Runs `docker compose config` in a folder with these files; nothing of this process's environment but PATH and HOME. */
export function composeConfig(
  files: Readonly<Record<string, string>>,
  ...args: readonly string[]
): { code: number; stdout: string; stderr: string } {
  const folder = mkdtempSync(join(tmpdir(), 'stagecraft-compose-'))
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    const env = { PATH: process.env['PATH'], HOME: process.env['HOME'] }
    const result = spawnSync('docker', ['compose', '-f', join(folder, 'docker-compose.yml'), 'config', ...args], {
      cwd: folder,
      env,
      encoding: 'utf8',
    })
    return { code: result.status ?? -1, stdout: result.stdout, stderr: result.stderr }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The environment Compose gives service `app`. `config` doubles dollar signs, as its output is a Compose file again. */
export function composeEnvironment(files: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { code, stdout, stderr } = composeConfig(files, '--format', 'json')
  if (code !== 0) throw new Error(`docker compose config: ${stderr}`)
  const environment = JSON.parse(stdout).services.app.environment as Record<string, string>
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, value.replaceAll('$$', '$')]))
}
