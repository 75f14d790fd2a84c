import { z } from 'zod'
import { isAddress, parseHostAddress, parseJumps, userName } from '../../host-address.ts'
import { port, role, text } from './words.ts'

const hostName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]*$/, 'expected letters, digits, `.`, `_`, `:` and `-`, beginning with a letter or digit')
  .meta({ examples: ['node-1'] })

const hostMap = z
  .strictObject({
    address: z
      .string()
      .refine(isAddress, 'expected a host name or an IP address')
      .meta({ examples: ['203.0.113.7'] })
      .describe('Host name or IP address that it is reached at by SSH.'),
    private_address: z
      .ipv4()
      .or(z.ipv6())
      .meta({ examples: ['192.0.2.7'] })
      .optional()
      .describe('Where other hosts reach it; default its address.'),
    user: z
      .string()
      .regex(userName, 'expected a user name')
      .meta({ examples: ['deploy'] })
      .optional()
      .describe('Who logs in; default what ~/.ssh/config says.'),
    port: port
      .meta({ examples: [2222] })
      .optional()
      .describe('Port of its SSH server; default what ~/.ssh/config says.'),
    identity_file: text
      .meta({ examples: ['~/.ssh/deploy'] })
      .optional()
      .describe('Private key on this machine; default what ~/.ssh/config or the agent says.'),
    jump: text
      .refine((given) => parseJumps(given) !== undefined, 'expected `[user@]address[:port]`, several with commas between, or `none`')
      .meta({ examples: ['deploy@bastion.example.com'] })
      .optional()
      .describe('Machine to go through, as for `ssh -J`; default what ~/.ssh/config says, `none` for nothing.'),
    roles: z.array(role).default([]).describe('What it is for: it runs the services of these roles.'),
    name: hostName.optional().describe('Short name for task ids and messages; default the address.'),
  })
  .transform((host) => ({ ...host, name: host.name ?? host.address }))

const hostText = z.string().transform((given, context) => {
  const parsed = parseHostAddress(given)
  if (parsed) return { ...parsed, roles: [] as string[], name: parsed.address }
  context.addIssue({ code: 'custom', message: 'expected `[user@]address[:port]`' })
  return z.NEVER
})

/** One machine: `deploy@203.0.113.7:22`, or a map. */
export const host = z.union([hostText, hostMap])
export type HostConfig = z.output<typeof hostMap>

/** A list of hosts, or a map from role to hosts. */
export const inventory = z.union([z.array(host), z.record(role, z.array(host).min(1))])
export type InventoryConfig = z.output<typeof inventory>
