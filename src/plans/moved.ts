/** What is not any more as a plan says. Pure: a plan as it would be made now is held against the one that was made. */
import type { PlannedHost, PlannedTask, SavedPlan, TaskInputs } from './saved-plan.ts'

export interface Moved {
  /** Sentences about what the project is made from: files, variables, the manifest. */
  readonly inputs: readonly string[]
  /** Sentences about hosts, services and databases. */
  readonly world: readonly string[]
}

export function movedSince(planned: SavedPlan, now: SavedPlan): Moved {
  const before = new Map(planned.tasks.map((task) => [task.id, task]))
  const after = new Map(now.tasks.map((task) => [task.id, task]))
  const inputs: string[] = []
  if (planned.version !== now.version) inputs.push(`the plan is about version ${planned.version}, and this checkout is ${now.version}`)
  for (const id of before.keys()) if (!after.has(id)) inputs.push(`${id} is in the plan, and no task any more`)
  for (const id of after.keys()) if (!before.has(id)) inputs.push(`${id} is not in the plan`)
  for (const [id, task] of after) {
    const other = before.get(id)
    if (other) inputs.push(...changedInputs(id, other.inputs, task.inputs))
  }
  const world = changedHosts(planned.hosts, now.hosts)
  // Of a project that is another, what is to do is another too: that says nothing about hosts.
  if (inputs.length === 0) for (const [id, task] of after) world.push(...changedState(before.get(id), task))
  return { inputs, world }
}

function changedInputs(id: string, planned: TaskInputs, now: TaskInputs): string[] {
  const found = [
    ...differences(planned.files, now.files, (name, how) => `file ${name} ${how}`),
    ...differences(planned.variables, now.variables, (name, how) => `variable ${name} ${how}`),
    ...differences(planned.secrets, now.secrets, (name, how) => `secret ${name} ${how}`),
  ]
  if (planned.definition !== now.definition) found.push('its definition in the manifest or the Compose file changed')
  return found.map((what) => `${id}: ${what}`)
}

/** Differences listed of one kind; the rest is counted. */
const listed = 3

function differences(
  planned: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
  sentence: (name: string, how: string) => string,
): string[] {
  const names = [...new Set([...Object.keys(planned), ...Object.keys(now)])].sort().filter((name) => planned[name] !== now[name])
  const how = (name: string) => (planned[name] === undefined ? 'is new' : now[name] === undefined ? 'is gone' : 'changed')
  const sentences = names.slice(0, listed).map((name) => sentence(name, how(name)))
  return names.length > listed ? [...sentences, `and ${names.length - listed} more like that`] : sentences
}

function changedHosts(planned: SavedPlan['hosts'], now: SavedPlan['hosts']): string[] {
  const names = [...new Set([...Object.keys(planned), ...Object.keys(now)])].sort()
  return names.flatMap((name) => {
    const [before, after] = [planned[name], now[name]]
    if (!before || !after)
      return [`${name} ${before ? 'was looked at, and is no host of this deploy any more' : 'was no host of the plan'}`]
    return changedHost(before, after).map((what) => `${name}: ${what}`)
  })
}

function changedHost(before: PlannedHost, after: PlannedHost): string[] {
  const found: string[] = []
  if (before.release !== after.release) found.push(`${after.release ?? 'no release'} is live, and was ${before.release ?? 'none'}`)
  const names = [...new Set([...before.containers, ...after.containers].map(({ name }) => name))].sort()
  for (const name of names) {
    const [old, current] = [before, after].map(({ containers }) => containers.find((container) => container.name === name))
    if (!old && current) found.push(`${name} of ${current.service} is new, ${current.state}`)
    else if (old && !current) found.push(`${name} of ${old.service} is gone, and was ${old.state}`)
    else if (old && current && old.id !== current.id) found.push(`${name} of ${old.service} was replaced`)
    else if (old && current && old.state !== current.state)
      found.push(`${name} of ${old.service} is ${current.state}, and was ${old.state}`)
  }
  const others = [
    ...differences(before.routes, after.routes, (key, how) => `the route ${key} ${how}`),
    ...differences(before.swarm, after.swarm, (service, how) => `the swarm's ${service} ${how}`),
  ]
  found.push(...others)
  if (found.length === 0 && before.bundle !== after.bundle) found.push('another bundle is current')
  return found
}

/** Of content, only what it is made from counts: a result that has come to be known since, or been forgotten, is the same result. */
function changedState(planned: PlannedTask | undefined, now: PlannedTask): string[] {
  if (!planned) return []
  const isKnown = planned.fingerprint !== undefined && now.fingerprint !== undefined
  if (!now.effect || planned.state === 'may-run' || now.state === 'may-run') return []
  if (planned.state !== now.state) {
    const words = { fresh: 'up to date', run: 'to run' }
    return [`${now.id} was ${words[planned.state]} (${planned.detail}), and is ${words[now.state]} now (${now.detail})`]
  }
  if (planned.state === 'run' && planned.detail !== now.detail) return [`${now.id}: ${now.detail}; it was: ${planned.detail}`]
  if (isKnown && planned.fingerprint !== now.fingerprint) return [`${now.id} would be made from something else`]
  return []
}
