/** The Engine's account of a pull: a stream of JSON lines (https://docs.docker.com/reference/api/engine/, `ImageCreate`). Pure. */

/** `registry/name[:tag][@digest]` as the API takes it. Without a tag it would pull every tag there is. */
export function pullParameters(reference: string): { readonly fromImage: string; readonly tag: string } {
  const [, name = reference, tag, digest] = /^(.+?)(?::([\w.-]+))?(?:@(.+))?$/.exec(reference) ?? []
  return { fromImage: name, tag: digest ?? tag ?? 'latest' }
}

export interface PullProgress {
  /** Takes bytes as they come. @returns lines worth showing: a few per image. */
  take(chunk: Buffer): readonly string[]
  /** What went wrong, when something did. */
  readonly error: string | undefined
  /** The Engine said how it ended. */
  readonly isComplete: boolean
}

interface Message {
  readonly status?: string
  readonly id?: string
  readonly error?: string
  readonly errorDetail?: { readonly message?: string }
}

export function createPullProgress(): PullProgress {
  let rest = ''
  let error: string | undefined
  let isComplete = false
  const layers = new Set<string>()
  const done = new Set<string>()

  const tell = (message: Message): string[] => {
    const problem = message.errorDetail?.message ?? message.error
    if (problem !== undefined) error ??= problem
    const { status = '', id } = message
    if (id === undefined) {
      if (status.startsWith('Status:')) isComplete = true
      return status.startsWith('Status:') || status.startsWith('Digest:') ? [status] : []
    }
    if (status === 'Pulling fs layer' || status === 'Already exists' || status === 'Pull complete') layers.add(id)
    if (status === 'Already exists') done.add(id)
    if (status !== 'Pull complete' || done.has(id)) return []
    done.add(id)
    return [`${done.size} of ${layers.size} layers`]
  }

  return {
    take(chunk) {
      const lines = (rest + chunk.toString('utf8')).split('\n')
      rest = lines.pop() ?? ''
      return lines.filter((line) => line.trim() !== '').flatMap((line) => tell(parse(line)))
    },
    get error() {
      return error
    },
    get isComplete() {
      return isComplete
    },
  }
}

function parse(line: string): Message {
  try {
    return JSON.parse(line) as Message
  } catch {
    // A proxy in between speaks another language: show what it said.
    return { error: line }
  }
}
