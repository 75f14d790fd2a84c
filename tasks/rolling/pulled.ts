/** Which images of others a deploy brought to a host: `prune` removes those, and none that somebody else put there. */
import { createHash } from 'node:crypto'
import type { Host } from '../ports.ts'

/** In the environment's folder: one file for each reference, so that two rollouts do not write the same one. */
export const pulledFolder = 'pulled'

export async function recordPulled({ files }: Host, reference: string): Promise<void> {
  await files.makeDirectory(pulledFolder, 0o750)
  const name = createHash('sha256').update(reference).digest('hex').slice(0, 32)
  await files.write(`${pulledFolder}/${name}`, Buffer.from(`${reference}\n`), 0o640)
}
