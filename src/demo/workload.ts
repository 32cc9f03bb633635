import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import type { Lsn } from '../core/position.js';
import { connectSource, queryRows } from '../postgres/client.js';
import { currentWal } from '../postgres/system.js';
import { FOLLOWED_PRODUCT } from './shop.js';

/** So many clients work at the same time, */
export const CLIENTS = 4;
/** and each rests so long after a transaction, in milliseconds: a shop, not a benchmark. */
const REST = 30;

/** A connection as an application has it: the tables' names need no schema. */
export async function connectShop(url: string): Promise<pg.Client> {
  const connection = await connectSource(url, 'shop');
  await queryRows(connection, 'SET search_path = public');
  return connection;
}

/** The people who use the shop: small transactions that insert, update and delete, from several connections at once. */
export class Workload implements AsyncDisposable {
  readonly #clients: readonly Client[];
  /** Transactions that were committed. */
  committed = 0;

  private constructor(clients: readonly Client[]) {
    this.#clients = clients;
  }

  static async open(url: string): Promise<Workload> {
    const connections = await Promise.all(Array.from({ length: CLIENTS }, () => connectShop(url)));
    return new Workload(connections.map((connection, i) => new Client(connection, i + 1)));
  }

  /** An hour in the shop: `transactions` of them, by all clients at once. Ends early, without an error, at the signal. */
  async trade(transactions: number, signal: AbortSignal): Promise<void> {
    const hours = this.#clients.map(async (client) => {
      for (let n = 0; n < transactions / CLIENTS && !signal.aborted; n += 1) {
        if (await client.transaction()) this.committed += 1;
        await pause(REST);
      }
    });
    await Promise.all(hours);
  }

  /** 20 % off all lamps. Returns the time just before it, UTC. */
  async sale(): Promise<string> {
    const [row] = await queryRows<{ now: string }>(
      this.#first().connection,
      `SELECT to_char(clock_timestamp(), 'YYYY-MM-DD HH24:MI:SS.MS') AS now`,
    );
    await this.#signed(
      'sale',
      { author: 'Maya Okafor <maya@shop.example>', message: 'Autumn sale: 20 % off all lighting' },
      `UPDATE products SET price = round(price * 0.8, 2) WHERE category = 'lighting'`,
    );
    return row?.now ?? '';
  }

  /** Another change of one of these prices. Returns a position just before it. */
  async correction(): Promise<Lsn> {
    const before = await currentWal(this.#first().connection);
    await this.#signed(
      'correction',
      { author: 'Jon Brandt <jon@shop.example>', message: '10 % off are enough for the Oslo floor lamp' },
      `UPDATE products SET price = round(price / 0.8 * 0.9, 2) WHERE id = ${FOLLOWED_PRODUCT}`,
    );
    return before;
  }

  /**
   * A transaction with an author and a message, which become those of its Dolt commit. The states before and after it
   * get names, `before-sale` and `sale`, which become Dolt tags: a name closes the commit that is open.
   */
  async #signed(name: string, context: Context, update: string): Promise<void> {
    const { connection } = this.#first();
    await queryRows(connection, `SELECT pg_logical_emit_message(false, 'wal2dolt.tag', $1)`, [`before-${name}`]);
    await queryRows(connection, 'BEGIN');
    await sign(connection, context);
    await queryRows(connection, update);
    await queryRows(connection, `SELECT pg_logical_emit_message(true, 'wal2dolt.tag', $1)`, [name]);
    await queryRows(connection, 'COMMIT');
    this.committed += 1;
  }

  #first(): Client {
    const [client] = this.#clients;
    if (!client) throw new Error('the workload has no client');
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map(({ connection }) => connection.end().catch(() => {})));
  }
}

interface Context {
  readonly author: string;
  readonly message: string;
}

/** Makes it part of the open transaction, and thereby of Dolt's history. */
async function sign(connection: pg.Client, context: Context): Promise<void> {
  await queryRows(connection, `SELECT pg_logical_emit_message(true, 'wal2dolt.context', $1)`, [
    JSON.stringify(context),
  ]);
}

class Client {
  readonly connection: pg.Client;
  readonly #random: () => number;

  constructor(connection: pg.Client, seed: number) {
    this.connection = connection;
    this.#random = randomNumbers(seed);
  }

  /** False where it was rolled back. */
  async transaction(): Promise<boolean> {
    const what = this.#random();
    await this.#run('BEGIN');
    if (what < 0.5) await this.#order();
    else if (what < 0.7) await this.#ship();
    else if (what < 0.8) await this.#move();
    else if (what < 0.85) await this.#cancel();
    else if (what < 0.9) await this.#restock();
    else if (what < 0.95) await this.#forget();
    else {
      await this.#order(); // …and thinks better of it
      await this.#run('ROLLBACK');
      return false;
    }
    await this.#run('COMMIT');
    return true;
  }

  async #order(): Promise<void> {
    const customer = this.#between(1, 1000);
    const [order] = await this.#run('INSERT INTO orders (customer_id) VALUES ($1) RETURNING id', customer);
    // In one order for all clients, or two of them could wait for each other's stock.
    const products = [...new Set(Array.from({ length: this.#between(1, 4) }, () => this.#between(1, 120)))];
    for (const [i, product] of products.sort((a, b) => a - b).entries()) {
      const quantity = this.#between(1, 3);
      await this.#run(
        'INSERT INTO order_lines SELECT $1, $2, id, $4, price FROM products WHERE id = $3',
        ...[order?.id ?? null, i + 1, product, quantity],
      );
      await this.#run('UPDATE stock SET pieces = pieces - $2 WHERE product_id = $1', product, quantity);
    }
    await this.#log('order placed', customer, { order: Number(order?.id), lines: products.length });
  }

  async #ship(): Promise<void> {
    const [order] = await this.#run(
      `UPDATE orders SET status = CASE status WHEN 'placed' THEN 'paid' ELSE 'shipped' END::order_status
       WHERE id = (SELECT id FROM orders WHERE status IN ('placed', 'paid') ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
       RETURNING id, status, customer_id`,
    );
    if (!order) return;
    await this.#log(`order ${order.status}`, Number(order.customer_id), { order: Number(order.id) });
    if (order.status === 'shipped') {
      await sign(this.connection, {
        author: 'Warehouse <warehouse@shop.example>',
        message: `order ${order.id} shipped`,
      });
    }
  }

  async #move(): Promise<void> {
    const customer = this.#between(1, 1000);
    const city = ['Lisbon', 'Malmö', 'Accra', 'Kyoto', 'Leeds'][this.#between(0, 4)] ?? null;
    await this.#run('UPDATE customers SET city = $2, newsletter = NOT newsletter WHERE id = $1', customer, city);
    await this.#log('customer moved', customer, { city });
  }

  async #cancel(): Promise<void> {
    const [order] = await this.#run(
      `DELETE FROM orders WHERE id = (SELECT id FROM orders WHERE status = 'placed' ORDER BY id DESC LIMIT 1 FOR UPDATE SKIP LOCKED)
       RETURNING id, customer_id`,
    );
    if (order) await this.#log('order cancelled', Number(order.customer_id), { order: Number(order.id) });
  }

  async #restock(): Promise<void> {
    const product = this.#between(1, 120);
    await this.#run('UPDATE stock SET pieces = pieces + 50, counted_at = now() WHERE product_id = $1', product);
  }

  /** Whoever asks for it is no longer in the log, which has no key. */
  async #forget(): Promise<void> {
    await this.#run('DELETE FROM events WHERE customer_id = $1', this.#between(1, 1000));
  }

  async #log(kind: string, customer: number, detail: Record<string, unknown>): Promise<void> {
    const values = [kind, customer, JSON.stringify(detail)];
    await this.#run('INSERT INTO events (kind, customer_id, detail) VALUES ($1, $2, $3)', ...values);
  }

  async #run(sql: string, ...values: (string | number | null)[]): Promise<Record<string, string | null>[]> {
    return queryRows(this.connection, sql, values);
  }

  #between(first: number, last: number): number {
    return first + Math.floor(this.#random() * (last - first + 1));
  }
}

/** The same numbers at every start: mulberry32 of Tommy Ettinger, in the public domain. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
