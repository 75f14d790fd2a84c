import { createConnection } from 'node:net'
import type { Duplex } from 'node:stream'
import { cutAtFault } from '../../tasks/fault-point.ts'
import type { ConnectionSettings } from './ssh-config.ts'
import { connectFailure } from './ssh-failure.ts'

export interface Dialing {
  readonly socket: Duplex
  /** @throws TaskFailure when it has failed already: nobody who listens from now on would hear of it. */
  check(): void
}

/** Begins to connect, so that TCP's handshake is under way while ssh2 is loaded and keys are read. */
export function dial(settings: ConnectionSettings): Dialing {
  const socket = createConnection({ host: settings.hostName, port: settings.port, noDelay: true })
  socket.setMaxListeners(0)
  cutAtFault(socket)
  let failure: Error | undefined
  socket.on('error', (error) => {
    failure ??= error
  })
  return {
    socket,
    check() {
      if (failure !== undefined) throw connectFailure(Object.assign(failure, { level: 'client-socket' }), settings, 'dialing', [])
    },
  }
}

/** The same for a way that is there already. */
export function through(socket: Duplex): Dialing {
  cutAtFault(socket)
  // Whoever reads from it hears of errors; until then the end of the channel is one.
  socket.on('error', () => undefined)
  return { socket, check() {} }
}
