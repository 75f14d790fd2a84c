/** What operations ask of a host's Engine and tasks never do. */
import { type ContainerProgram, type RunningInContainer, startInContainer } from './engine-program.ts'
import { type HeldContainer, type HeldImage, heldContainers, heldImages, removeImage } from './engine-stock.ts'
import type { SshConnection } from './ssh-connection.ts'
import type { EngineAgent } from './ssh-engine-agent.ts'

export interface HostOperator {
  /** @throws TaskFailure when the Engine refuses. */
  start(program: ContainerProgram): Promise<RunningInContainer>
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
    images: () => heldImages(connection, agent),
    containers: () => heldContainers(connection, agent),
    removeImage: (name) => removeImage(connection, agent, name),
  }
}
