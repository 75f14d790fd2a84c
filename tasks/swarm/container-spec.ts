/** A Compose service as the `ContainerSpec` of a Swarm service. Pure. */
import type { Json, JsonObject } from '../../graph/types.ts'
import { isList, isObject, items, members } from '../rendering/json.ts'
import { asMap } from '../rendering/service-definition.ts'
import { compact } from './compact.ts'
import { nanoseconds, words } from './units.ts'

/** Without its image, variables and mounts. `stackLabel` is what `docker stack` groups containers by. */
export function containerSpec(service: JsonObject, composeProject: string): JsonObject {
  const { dns, dns_search: search, dns_opt: options } = service
  return compact({
    Command: argv(service['entrypoint']),
    Args: argv(service['command']),
    Dir: service['working_dir'],
    User: service['user'] === undefined ? undefined : String(service['user']),
    Hostname: service['hostname'],
    Labels: { ...texts(service['labels']), 'com.docker.stack.namespace': composeProject },
    StopSignal: service['stop_signal'],
    StopGracePeriod: duration(service['stop_grace_period']),
    Healthcheck: isObject(service['healthcheck']) ? healthcheck(service['healthcheck']) : undefined,
    TTY: service['tty'],
    OpenStdin: service['stdin_open'],
    ReadOnly: service['read_only'],
    Init: service['init'],
    CapabilityAdd: items(service['cap_add']),
    CapabilityDrop: items(service['cap_drop']),
    Sysctls: texts(service['sysctls']),
    Ulimits: members(service['ulimits']).map(([name, limit]) => ulimit(name, limit)),
    Groups: items(service['group_add']).map(String),
    Hosts: hosts(service['extra_hosts']),
    DNSConfig: { Nameservers: list(dns), Search: list(search), Options: list(options) },
  })
}

/** `[]` takes away what the image says, and cannot be said here: the Engine leaves an empty list out. */
function argv(given: Json | undefined): readonly string[] | undefined {
  return typeof given === 'string' ? words(given) : isList(given) ? given.map(String) : undefined
}

function healthcheck(given: JsonObject): JsonObject {
  if (given['disable'] === true) return { Test: ['NONE'] }
  const { test } = given
  return {
    Test: typeof test === 'string' ? ['CMD-SHELL', test] : items(test ?? []).map(String),
    Interval: duration(given['interval']) ?? 0,
    Timeout: duration(given['timeout']) ?? 0,
    StartPeriod: duration(given['start_period']) ?? 0,
    StartInterval: duration(given['start_interval']) ?? 0,
    Retries: Number(given['retries'] ?? 0),
  }
}

function ulimit(name: string, limit: Json): JsonObject {
  const [soft, hard] = isObject(limit) ? [limit['soft'], limit['hard']] : [limit, limit]
  return { Name: name, Soft: Number(soft), Hard: Number(hard) }
}

/** As lines of `/etc/hosts`: the address first. */
function hosts(given: Json | undefined): readonly string[] {
  const entries = isObject(given)
    ? Object.entries(given).flatMap(([name, addresses]) => list(addresses).map((address) => [name, address] as const))
    : items(given).map((entry) => {
        const [, name = '', address = ''] = /^([^:=]+)[:=](.*)$/s.exec(String(entry)) ?? []
        return [name, address] as const
      })
  return entries.map(([name, address]) => `${address.replace(/^\[|\]$/g, '')} ${name}`)
}

/** Nanoseconds. @returns undefined for none, and for what the schema of Compose lets through and nobody could mean. */
export function duration(given: Json | undefined): number | undefined {
  return given === undefined || given === null ? undefined : nanoseconds(String(given))
}

/** One, or some. */
export function list(given: Json | undefined): readonly string[] {
  return given === undefined || given === null ? [] : isList(given) ? given.map(String) : [String(given)]
}

/** A map, or a list of `name=value`, with every value as text. */
export function texts(given: Json | undefined): Readonly<Record<string, string>> {
  if (given === undefined) return {}
  return Object.fromEntries(Object.entries(asMap(given)).map(([name, value]) => [name, value === null ? '' : String(value)]))
}
