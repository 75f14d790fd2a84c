import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import ssh2, { type AgentInboundRequest, type ParsedKey } from 'ssh2'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { failureOf, makeKey, onServer, type SshServer } from '../../support/ssh-server.ts'

const test = suite('src/hosts/ssh-auth')

/** An agent on a socket; `asked` lists what was signed with. */
async function startAgent(path: string, privateKeys: readonly string[]) {
  const keys = privateKeys.map((text) => ssh2.utils.parseKey(text) as ParsedKey)
  const asked: string[] = []
  const server = createServer((socket) => {
    const protocol = new ssh2.AgentProtocol(false)
    protocol.on('identities', (request: AgentInboundRequest) => protocol.getIdentitiesReply(request, keys))
    protocol.on('sign', (request: AgentInboundRequest, publicKey: ParsedKey, data: Buffer) => {
      const key = keys.find((candidate) => candidate.getPublicSSH().equals(publicKey.getPublicSSH()))
      if (key === undefined) return protocol.failureReply(request)
      asked.push(fingerprintOf(key))
      protocol.signReply(request, key.sign(data))
    })
    socket.on('error', () => undefined)
    socket.pipe(protocol).pipe(socket)
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return { asked, close: () => new Promise((resolve) => server.close(resolve)) }
}
const fingerprintOf = (key: ParsedKey) => key.getPublicSSH().toString('base64')

const addressOf = (server: SshServer, identityFile?: string) => ({
  name: 'node-1',
  address: '127.0.0.1',
  port: server.port,
  user: 'deploy',
  roles: [],
  ...(identityFile ? { identityFile } : {}),
})
const writeConfig = (server: SshServer, text: string) => writeFileSync(join(server.home, '.ssh', 'config'), text)

test(
  'keys of the agent come before the default files',
  onServer({}, async (server) => {
    const path = join(server.home, 'agent')
    const agent = await startAgent(path, [makeKey('ed25519').private])
    const host = server.host({ env: { SSH_AUTH_SOCK: path } })
    assert.is((await host.run({ argv: ['true'] })).code, 0)
    assert.is(agent.asked.length, 1)
    await host.close()
    await agent.close()
  }),
)

test(
  'a named file comes before the agent',
  onServer({}, async (server) => {
    const path = join(server.home, 'agent')
    const agent = await startAgent(path, [makeKey('ed25519').private])
    const host = server.host({ env: { SSH_AUTH_SOCK: path }, address: addressOf(server, join(server.home, '.ssh', 'id_ed25519')) })
    assert.is((await host.run({ argv: ['true'] })).code, 0)
    assert.equal(agent.asked, [])
    await host.close()
    await agent.close()
  }),
)

test(
  'the agent signs for a named key of which only the public half is here, and for no other first',
  onServer({}, async (server) => {
    const path = join(server.home, 'agent')
    const [other, wanted] = [makeKey('ed25519'), makeKey('ed25519')]
    const agent = await startAgent(path, [other.private, wanted.private])
    writeFileSync(join(server.home, '.ssh', 'card.pub'), `${wanted.public}\n`)
    const host = server.host({ env: { SSH_AUTH_SOCK: path }, address: addressOf(server, join(server.home, '.ssh', 'card')) })
    assert.is((await host.run({ argv: ['true'] })).code, 0)
    assert.equal(agent.asked, [wanted.public.split(' ')[1]])
    await host.close()
    await agent.close()
  }),
)

test(
  'with IdentitiesOnly the agent shows none but the named keys',
  onServer({ acceptKeys: false }, async (server) => {
    const path = join(server.home, 'agent')
    const agent = await startAgent(path, [makeKey('ed25519').private, makeKey('ed25519').private])
    writeConfig(server, 'IdentitiesOnly yes\n')
    const only = server.host({ env: { SSH_AUTH_SOCK: path } })
    const few = await failureOf(only.run({ argv: ['true'] }))
    assert.match(few.message, /the agent at .* holds no such key/)
    assert.not.match(few.message, /agent key/)
    await only.close()
    writeConfig(server, '')
    const any = server.host({ env: { SSH_AUTH_SOCK: path } })
    const all = await failureOf(any.run({ argv: ['true'] }))
    assert.is(all.message.match(/agent key /g)?.length, 2)
    await any.close()
    await agent.close()
  }),
)

test(
  'without any key the failure says so',
  onServer({ acceptKeys: false }, async (server) => {
    writeConfig(server, 'IdentityFile none\nIdentityAgent none\n')
    writeFileSync(join(server.home, '.ssh', 'id_ed25519'), makeKey('ed25519').public)
    assert.match((await failureOf(server.host().run({ argv: ['true'] }))).message, /no keys found: no agent, and no key files/)
  }),
)

test.run()
