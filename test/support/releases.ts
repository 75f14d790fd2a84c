import { allPhases, type Release } from '../../src/releases/release.ts'

/** A finished, successful deploy to `prod`, but for what the test cares about. */
export function release(id: string, fields: Partial<Release> = {}): Release {
  const match = /^rel-(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)(\d{3})$/.exec(id)
  const [, year, month, day, hour, minute, second, millisecond] = match ?? []
  const timestamp = `${year}-${month}-${day}T${hour}:${minute}:${second}.${millisecond}Z`
  return {
    id,
    kind: 'deploy',
    environment: 'prod',
    version: 'v1',
    commit_sha: '',
    timestamp,
    updated_at: timestamp,
    phases: allPhases('completed'),
    finished: true,
    ...fields,
  }
}
