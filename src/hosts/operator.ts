/** What operations ask of a host's Engine and tasks never do. */
import { type ContainerProgram, type RunningInContainer, startInContainer } from './engine-program.ts'
import { askEngine } from './engine-request.ts'
import { type HeldContainer, type HeldImage, heldContainers, heldImages, removeImage } from './engine-stock.ts'
import type { SshConnection } from './ssh-connection.ts'
import type { EngineAgent } from './ssh-engine-agent.ts'

/** Beyond the time a container has to stop. */
const restartMarginMs = 60_000

export interface HostOperator {
  /** @throws TaskFailure when the Engine refuses. */
  start(program: ContainerProgram): Promise<RunningInContainer>
  /** One request: the Engine starts it again, whatever becomes of us meanwhile. @throws TaskFailure */
  restart(container: string, graceSeconds: number): Promise<void>
  /** Images of everybody, sorted by id. */
  images(): Promise<readonly HeldImage[]>
  /** Containers of everybody, sorted by name. */
  containers(): Promise<readonly HeldContainer[]>
  /** Removes one name of an image, and with its last name the image; false when it is in use or gone. */
  removeImage(name: string): Promise<boolean>
}

export function createOperator(connection: SshConnection, agent: EngineAgent): HostOperator {
  return {
    start: (program) => startInContainer(connection, agent, program),
    async restart(container, graceSeconds) {
      const path = `/containers/${encodeURIComponent(container)}/restart?t=${graceSeconds}`
      const timeoutMs = graceSeconds * 1000 + restartMarginMs
      await askEngine(connection, agent, { what: `restart container ${container.slice(0, 12)}`, method: 'POST', path, timeoutMs })
    },
    images: () => heldImages(connection, agent),
    containers: () => heldContainers(connection, agent),
    removeImage: (name) => removeImage(connection, agent, name),
  }
}
