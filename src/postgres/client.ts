import type { Socket } from 'node:net';
import pg from 'pg';
import { Wal2DoltError } from '../errors.js';
import { asSourceError } from './failure.js';
import { unlessLost } from './lost-statement.js';
import { unknownParameters } from './url-parameters.js';

/**
 * Settings that decide how Postgres prints values, names and expressions, what a name in our statements means, and that
 * would end a session which has to live for hours.
 * A role or database may have others as its default (ALTER ROLE … SET); start-up options win over those.
 */
const PINNED = {
  // As a subscription of Postgres has it: nobody's table or function is taken for one of pg_catalog, and a regclass has
  // its schema, wherever it is printed.
  search_path: '',
  quote_all_identifiers: 'off',
  standard_conforming_strings: 'on',
  // For the publication that we are asked to create.
  default_transaction_read_only: 'off',
  DateStyle: 'ISO',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  extra_float_digits: '3',
  bytea_output: 'hex',
  lc_monetary: 'C',
  // A row that a policy would hide raises an error instead.
  row_security: 'off',
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  // The planner expects thousands of rows of the recursive query for types: compiling it took 80 ms, and running it 2.
  jit: 'off',
};

const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full'];
const CONNECT_TIMEOUT_MS = 15_000;
const KEEPALIVE_AFTER_MS = 30_000;
/** How long the server may take to read our farewell; it takes milliseconds. */
const FAREWELL_MS = 1_000;

/** Every value as the text that Postgres sent: the driver's own parsers lose microseconds, large integers and more. */
const RAW_TEXT = {
  // The cast: the driver's type wants all overloads of its own registry; it only ever calls this one.
  getTypeParser: (() => (text: string) => text) as unknown as typeof pg.types.getTypeParser,
};

/**
 * The driver's configuration for a URL as libpq takes it: `postgres://user:password@host:port/db?sslmode=require`,
 * with `host=/socket/folder`, `connect_timeout`, `options`, `application_name`, `sslrootcert`, … as parameters. What the
 * URL leaves out comes from the PG* environment variables. Holds the password: never log it (use `describeSource`).
 *
 * Throws E_CONFIG for what the driver cannot follow.
 * Source: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
 */
export function clientConfig(url: string, applicationName: string): pg.ClientConfig {
  if (!/^postgres(ql)?:\/\//.test(url)) throw invalid('it must begin with postgres:// or postgresql://');
  const questionMark = url.indexOf('?');
  const base = decodeDatabase(questionMark < 0 ? url : url.slice(0, questionMark));
  const params = new URLSearchParams(questionMark < 0 ? '' : url.slice(questionMark + 1));

  const unknown = unknownParameters(params);
  if (unknown.length > 0) throw invalid(`Postgres has no connection parameter ${unknown.join(', ')}`);
  const sslmode = params.get('sslmode');
  if (sslmode !== null && !SSL_MODES.includes(sslmode)) {
    // `prefer` and `allow` mean a silent fallback to no encryption, which the driver cannot do.
    throw invalid(`sslmode=${sslmode} is not supported; use one of ${SSL_MODES.join(', ')}`);
  }
  // Without this the driver takes sslmode=require for verify-full, and refuses servers that libpq accepts.
  if (sslmode !== null) params.set('uselibpqcompat', 'true');

  const timeout = Number(params.get('connect_timeout') ?? 0);
  const options = [params.get('options'), ...Object.entries(PINNED).map(([name, value]) => `-c ${name}=${value}`)];
  // In the URL they would win over what is set here.
  for (const name of ['options', 'replication', 'connect_timeout']) params.delete(name);

  const config: pg.ClientConfig = {
    connectionString: params.size > 0 ? `${base}?${params}` : base,
    fallback_application_name: applicationName,
    options: options.filter(Boolean).join(' '),
    connectionTimeoutMillis: timeout > 0 ? timeout * 1000 : CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_AFTER_MS,
    types: RAW_TEXT,
  };
  newClient(config); // it only connects when asked to, but reads the URL and the certificate files now
  return config;
}

/** The driver leaves `%2F` and its like in the name of the database; these may stand there as they are. */
const decodeDatabase = (base: string): string =>
  base.replace(
    /^(\w+:\/\/[^/]*\/)(.*)$/s,
    (_, server: string, name: string) => server + name.replace(/%(?:3B|2F|3A|40|26|3D|2B|24|2C)/gi, decodeURIComponent),
  );

/** `user@host:port/db`, as the driver understood the URL: without the password, fit for logs. */
export function describeSource(url: string): string {
  const client = newClient(clientConfig(url, ''));
  return `${client.user ?? ''}@${client.host}:${client.port}/${client.database ?? ''}`;
}

/**
 * A connection for SQL. The caller ends it. Throws Wal2DoltError, as `asSourceError` classifies; so it does at once when
 * `signal` aborts before the connection stands.
 */
export async function connectSource(url: string, applicationName: string, signal?: AbortSignal): Promise<pg.Client> {
  return connect(clientConfig(url, applicationName), signal);
}

/** The same for a connection that takes replication commands as well as simple (parameterless) SQL. */
export async function connectReplication(
  url: string,
  applicationName: string,
  signal?: AbortSignal,
): Promise<pg.Client> {
  return connect(replicationConfig(url, applicationName), signal);
}

/** `clientConfig` for the walsender; the driver passes `replication` on, its type does not know it. */
export function replicationConfig(url: string, applicationName: string): pg.ClientConfig & { replication: 'database' } {
  return { ...clientConfig(url, applicationName), replication: 'database' };
}

/**
 * Timeouts that only newer servers know, so that they cannot be start-up options: switched off for this session.
 * Without it a default of the role or database could end a copy (17+) or an idle connection (14+) in the middle.
 * Returns who serves the session: what the protocol tells of it may be a pooler's invention.
 */
async function liftTimeouts(client: pg.Client): Promise<Backend> {
  const { rows } = await client.query<{ pid: string; server: string }>(
    `SELECT pg_catalog.pg_backend_pid() AS pid, pg_catalog.pg_postmaster_start_time() AS server,
       (SELECT count(pg_catalog.set_config(name, '0', false)) FROM pg_catalog.pg_settings
        WHERE name IN ('idle_session_timeout', 'transaction_timeout'))`,
  );
  const [{ pid = '', server = '' } = {}] = rows;
  return { pid: Number(pid), server };
}

/**
 * The rows of a statement, values as text. Errors are classified by `asSourceError`; E_SOURCE_UNREACHABLE where the network
 * lost it, as `unlessLost` has it.
 */
export async function queryRows<R extends Record<string, string | null>>(
  client: pg.Client,
  text: string,
  values?: readonly (string | number | null | readonly (string | null)[] | readonly number[])[],
): Promise<R[]> {
  try {
    // A replication connection refuses the extended protocol, which an empty list of values would bring.
    const answer = values ? client.query<R>(text, [...values]) : client.query<R>(text);
    if (!(client instanceof SourceClient)) return (await answer).rows;
    return (await unlessLost(client.socket, () => client.runs(), answer)).rows;
  } catch (error) {
    throw asSourceError(error);
  }
}

async function connect(config: pg.ClientConfig, signal: AbortSignal | undefined): Promise<SourceClient> {
  const client = newClient(config);
  // An 'error' event without a listener kills the process. The statement in flight, or the next one, rejects as well.
  client.on('error', () => {});
  const giveUp = (): void => void client.connection.stream.destroy();
  let late: NodeJS.Timeout | undefined;
  try {
    signal?.throwIfAborted();
    signal?.addEventListener('abort', giveUp);
    await client.connect();
    late = setTimeout(giveUp, CONNECT_TIMEOUT_MS); // the driver's limit ends here
    client.backend = await liftTimeouts(client);
    return client;
  } catch (error) {
    client.end().catch(() => {});
    throw asSourceError(error);
  } finally {
    clearTimeout(late);
    signal?.removeEventListener('abort', giveUp);
  }
}

interface Backend {
  readonly pid: number;
  /** When the server was started, which tells it from others behind the same address. */
  readonly server: string;
}

/** How a server that is asked about a session names it when it has nothing to do. */
const AT_REST = ['idle', 'idle in transaction', 'idle in transaction (aborted)'];
/** How long the server may take to tell; it takes milliseconds. */
const ASKED_MS = 15_000;

class SourceClient extends pg.Client {
  readonly #config: pg.ClientConfig;
  /** Who serves the session; null before it is known. */
  backend: Backend | null = null;

  constructor(config: pg.ClientConfig) {
    super(config);
    this.#config = config;
  }

  /**
   * Ends also where the server is not there any more, or the network drops what we send: the driver waits for an answer to
   * its farewell, and the system gives up a silent connection only after a quarter of an hour.
   */
  override async end(): Promise<void> {
    const timer = setTimeout(() => this.connection.stream.destroy(), FAREWELL_MS);
    await super.end().finally(() => clearTimeout(timer));
  }

  get socket(): Socket {
    return this.connection.stream as Socket; // nobody configures another stream here
  }

  /** Whether the server is at a statement of this session; asked on a connection of its own. True where another server answers that. */
  async runs(): Promise<boolean> {
    const { replication: _, ...plain }: pg.ClientConfig & { replication?: string } = this.#config;
    const other = await connect(plain, AbortSignal.timeout(ASKED_MS));
    const late = setTimeout(() => other.connection.stream.destroy(), ASKED_MS);
    try {
      if (this.backend === null || other.backend?.server !== this.backend.server) return true;
      const { rows } = await other.query<{ state: string | null }>(
        'SELECT state FROM pg_catalog.pg_stat_activity WHERE pid = $1',
        [this.backend.pid],
      );
      return rows.some(({ state }) => !AT_REST.includes(state ?? ''));
    } finally {
      clearTimeout(late);
      await other.end().catch(() => {});
    }
  }
}

function newClient(config: pg.ClientConfig): SourceClient {
  try {
    return new SourceClient(config);
  } catch (error) {
    // No cause: the URL is inside it, and the password inside the URL.
    throw invalid(error instanceof Error ? error.message : 'it cannot be read');
  }
}

const invalid = (reason: string): Wal2DoltError =>
  new Wal2DoltError('E_CONFIG', `--source is not a usable URL: ${reason}`);
