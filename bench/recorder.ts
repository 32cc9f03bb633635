import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { type Connection, createConnection } from 'mysql2/promise';
import type { Prepared } from './ceiling.js';
import type { Target } from './target.js';

/** A statement as a client sent it, over one of its connections. */
export interface Sent {
  readonly connection: number;
  readonly sql: string;
}

/** COM_QUERY. Source: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query.html */
const QUERY = 0x03;
/** The first packet of a client is its answer to the server's greeting. */
const LARGEST_PACKET = 0xffffff;

/** Stands between a client and Dolt, and writes down every statement, in the order in which they were sent. */
export class Recorder implements AsyncDisposable {
  readonly sent: Sent[] = [];
  readonly #server = createServer();
  /** By connection: the database (and branch) that it asked for. */
  readonly databases: string[] = [];

  static async before(target: Target): Promise<Recorder> {
    const recorder = new Recorder();
    recorder.#server.on('connection', (client) => {
      const number = recorder.databases.push('') - 1;
      const dolt = connect(target.port, '127.0.0.1');
      for (const [from, to] of [
        [client, dolt],
        [dolt, client],
      ] as const) {
        from.pipe(to);
        from.on('error', () => to.destroy());
      }
      let waiting = Buffer.alloc(0);
      let parts: Buffer[] = [];
      let packets = 0;
      client.on('data', (piece) => {
        waiting = Buffer.concat([waiting, piece]);
        while (waiting.length >= 4) {
          const length = waiting.readUIntLE(0, 3);
          if (waiting.length < 4 + length) return;
          parts.push(waiting.subarray(4, 4 + length));
          waiting = waiting.subarray(4 + length);
          if (length === LARGEST_PACKET) continue;
          recorder.#packet(number, packets, Buffer.concat(parts));
          packets += 1;
          parts = [];
        }
      });
    });
    recorder.#server.listen(0, '127.0.0.1');
    await once(recorder.#server, 'listening');
    return recorder;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo; // it listens on a port
    return `mysql://root@127.0.0.1:${port}/bench`;
  }

  /** Statements of the first connection that opened a transaction on, and of the others from then on: the work itself. */
  work(): Sent[] {
    const start = this.sent.findIndex(({ sql }) => sql.startsWith('START TRANSACTION'));
    return this.sent.slice(start);
  }

  #packet(connection: number, packet: number, bytes: Buffer): void {
    if (packet === 0) this.databases[connection] = databaseOf(bytes);
    else if (bytes[0] === QUERY) this.sent.push({ connection, sql: bytes.subarray(1).toString('utf8') });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** `bench/branch` of a handshake response: the one text in it that begins like that. */
const databaseOf = (handshake: Buffer): string => /bench(\/[\w-]+)?/.exec(handshake.toString('latin1'))?.[0] ?? 'bench';

/** The same statements again, one after the other, each over a connection of its own kind. */
export async function prepareSameStatements(
  target: Target,
  recorder: Pick<Recorder, 'databases'>,
  sent: readonly Sent[],
): Promise<Prepared> {
  const { host, port } = { host: '127.0.0.1', port: target.port };
  const connections = new Map<number, Connection>();
  for (const number of new Set(sent.map(({ connection }) => connection))) {
    const database = recorder.databases[number] ?? 'bench';
    connections.set(
      number,
      await createConnection({ host, port, user: 'root', database, charset: 'utf8mb4_bin', multipleStatements: true }),
    );
  }
  return {
    run: async () => {
      for (const { connection, sql } of sent) await connections.get(connection)?.query(sql);
      for (const connection of connections.values()) await connection.end();
    },
  };
}
