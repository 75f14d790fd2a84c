import { TaskFailure } from '../../tasks/kind.ts'

/** A PostgreSQL connection string, taken apart (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING). */
export interface Dsn {
  readonly user?: string
  readonly password?: string
  readonly host: string
  readonly port: number
  readonly database?: string
  /** Path of the server's Unix socket; then host and port do not matter. */
  readonly socketPath?: string
  /** Undefined: not said. */
  readonly sslMode?: (typeof sslModes)[number]
  /** Certificate file for `verify-ca` and `verify-full`. */
  readonly sslRootCert?: string
  /** Session settings: `-c search_path=app`. */
  readonly options?: string
}

const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const

/**
 * Parameters that other tools put in (`schema`, `pgbouncer`, `connection_limit`) are passed over, not sent to the server.
 * @param variable where the text is from: it is named in failures, the text is not.
 * @throws TaskFailure for anything but a `postgres://` or `postgresql://` URL of one server.
 */
export function parseDsn(text: string, variable: string): Dsn {
  const url = urlOf(text.trim())
  if (!url) throw unusable(variable, 'it is not a URL; special characters in the password must be percent-encoded')
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') throw unusable(variable, `its scheme is \`${url.protocol}//\``)
  const query = url.searchParams
  const host = query.get('host') ?? decode(url.hostname, variable).replace(/^\[(.*)\]$/, '$1')
  if (host.includes(',')) throw unusable(variable, 'it names several servers')
  const port = Number(query.get('port') ?? (url.port || '5432'))
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw unusable(variable, 'its port is not a port')
  const sslMode = sslModes.find((mode) => mode === query.get('sslmode'))
  if (query.has('sslmode') && !sslMode) throw unusable(variable, `its \`sslmode\` is none of ${sslModes.join(', ')}`)
  return {
    host: host || 'localhost',
    port,
    ...given('user', query.get('user') ?? decode(url.username, variable)),
    ...given('password', query.get('password') ?? decode(url.password, variable)),
    ...given('database', query.get('dbname') ?? decode(url.pathname.slice(1), variable)),
    ...given('socketPath', host.startsWith('/') ? `${host}/.s.PGSQL.${port}` : ''),
    ...(sslMode ? { sslMode } : {}),
    ...given('sslRootCert', query.get('sslrootcert') ?? ''),
    ...given('options', query.get('options') ?? ''),
  }
}

function urlOf(text: string): URL | undefined {
  // A user without a host (`postgres://anna@/shop?host=/run/postgresql`) is legal for libpq, and not for URL.
  return URL.canParse(text)
    ? new URL(text)
    : URL.canParse(text.replace('@/', '@localhost/'))
      ? new URL(text.replace('@/', '@localhost/'))
      : undefined
}

function decode(text: string, variable: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw unusable(variable, 'it has a percent sign that encodes nothing')
  }
}

function given<Name extends string>(name: Name, value: string): { [name in Name]?: string } {
  return value === '' ? {} : ({ [name]: value } as { [name in Name]?: string })
}

function unusable(variable: string, what: string): TaskFailure {
  return new TaskFailure({
    reason: 'refused',
    subject: variable,
    message: `it does not hold a connection string that can be used: ${what}`,
    remedy: `set ${variable} to postgres://user:password@host:5432/database`,
  })
}
