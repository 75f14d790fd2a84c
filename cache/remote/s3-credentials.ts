/** Where the keys to a bucket come from. They are never part of its address. */
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { codeOf } from '../foreign.ts'
import type { S3Credentials } from './s3-signature.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * In this order: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` (with `AWS_SESSION_TOKEN`), `SPACES_KEY` and `SPACES_SECRET`, the profile
 * `AWS_PROFILE` of `~/.aws/credentials`. At DigitalOcean the second pair is looked at first. Undefined when there are none: what
 * everybody may read can be read without.
 * @throws Error when half of a pair is set, or a profile that is asked for cannot be used.
 */
export async function findS3Credentials(environment: Environment, endpoint: URL): Promise<S3Credentials | undefined> {
  const aws = () => {
    const found = pair(environment, 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY')
    const sessionToken = environment['AWS_SESSION_TOKEN']
    return found && { ...found, ...(sessionToken ? { sessionToken } : {}) }
  }
  const spaces = () => pair(environment, 'SPACES_KEY', 'SPACES_SECRET')
  const isSpaces = endpoint.hostname.endsWith('.digitaloceanspaces.com')
  return (isSpaces ? (spaces() ?? aws()) : (aws() ?? spaces())) ?? fromProfile(environment)
}

function pair(environment: Environment, idName: string, secretName: string): S3Credentials | undefined {
  const [accessKeyId, secretAccessKey] = [environment[idName], environment[secretName]]
  if (accessKeyId && secretAccessKey) return { accessKeyId, secretAccessKey }
  if (!accessKeyId && !secretAccessKey) return undefined
  const [set, missing] = accessKeyId ? [idName, secretName] : [secretName, idName]
  throw new Error(`${set} is set, and ${missing} is not`)
}

async function fromProfile(environment: Environment): Promise<S3Credentials | undefined> {
  const wanted = environment['AWS_PROFILE']
  const file = environment['AWS_SHARED_CREDENTIALS_FILE'] || join(environment['HOME'] || homedir(), '.aws', 'credentials')
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (!wanted && ['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return undefined
    throw new Error(`${file} cannot be read${wanted ? ` for profile \`${wanted}\`` : ''}: ${codeOf(error)}`)
  })
  const profile = text === undefined ? undefined : parseProfile(text, wanted || 'default')
  const { aws_access_key_id: accessKeyId, aws_secret_access_key: secretAccessKey, aws_session_token: sessionToken } = profile ?? {}
  if (accessKeyId && secretAccessKey) return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) }
  if (!wanted) return undefined
  throw new Error(
    profile === undefined
      ? `${file} has no profile \`${wanted}\``
      : `profile \`${wanted}\` in ${file} has no keys; roles and single sign-on: \`aws configure export-credentials --format env\``,
  )
}

/** The settings of one `[profile]` (https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html); undefined when it is not there. */
export function parseProfile(text: string, name: string): Readonly<Record<string, string>> | undefined {
  const profiles = new Map<string, Record<string, string>>()
  let current: Record<string, string> = {}
  for (const line of text.split(/\r?\n/)) {
    const [, section] = /^\s*\[\s*(?:profile\s+)?([^\]]+?)\s*\]/.exec(line) ?? []
    const [, key, value] = /^([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    if (section !== undefined) {
      current = profiles.get(section) ?? {}
      profiles.set(section, current)
    } else if (key !== undefined && value !== undefined) current[key.toLowerCase()] = value
  }
  return profiles.get(name)
}
