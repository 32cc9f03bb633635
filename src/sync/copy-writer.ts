import PQueue from 'p-queue';
import type { TargetTable } from '../core/target.js';
import type { Tuple } from '../core/tuple.js';
import type { TargetConnection } from '../dolt/client.js';
import type { ExactValues } from '../dolt/exact.js';
import { Writer } from '../dolt/writer.js';

/** Of a piece, which is a SQL transaction: Dolt keeps the changes of an open one in memory. */
const PIECE_ROWS = 20_000;
const PIECE_BATCHES = 8;
/** A batch with more bytes is written before more is read. */
const HUGE_BATCH = 4 << 20;

interface Batch {
  readonly table: TargetTable;
  readonly rows: readonly Tuple[];
}

/**
 * Writes the rows of a copy in pieces, over one connection or several at the same time, while the next piece is read. In
 * memory are the pieces that are being written, and the one that is read.
 */
export class CopyWriter {
  readonly #idle: TargetConnection[];
  readonly #exact: ExactValues;
  readonly #written: (table: TargetTable, rows: number) => void;
  readonly #queue: PQueue;
  #piece: Batch[] = [];
  #rows = 0;
  #error: unknown = null;

  constructor(
    connections: readonly TargetConnection[],
    exact: ExactValues,
    written: (table: TargetTable, rows: number) => void,
  ) {
    this.#idle = [...connections];
    this.#exact = exact;
    this.#written = written;
    this.#queue = new PQueue({ concurrency: connections.length });
  }

  /** The caller may change `rows` when this has resolved. Throws what an earlier piece failed with. */
  async add(table: TargetTable, rows: readonly Tuple[]): Promise<void> {
    this.#piece.push({ table, rows: [...rows] });
    this.#rows += rows.length;
    if (isHuge(rows)) await this.end();
    else if (this.#rows >= PIECE_ROWS || this.#piece.length >= PIECE_BATCHES) await this.#flush();
  }

  /** Resolves when everything is written. */
  async end(): Promise<void> {
    await this.#flush();
    await this.#queue.onIdle();
    this.#rethrow();
  }

  async #flush(): Promise<void> {
    this.#rethrow();
    const piece = this.#piece;
    this.#piece = [];
    this.#rows = 0;
    this.#queue
      .add(() => this.#write(piece))
      .catch((error: unknown) => {
        this.#error ??= error;
      });
    await this.#queue.onSizeLessThan(1);
    this.#rethrow();
  }

  async #write(piece: Batch[]): Promise<void> {
    const connection = this.#idle.pop();
    if (!connection || this.#error !== null) return;
    const writer = new Writer(connection, this.#exact);
    await connection.run('START TRANSACTION');
    // What is written is let go: it may be huge.
    for (let batch = piece.shift(); batch; batch = piece.shift()) {
      await writer.insert(batch.table, batch.rows);
      this.#written(batch.table, batch.rows.length);
    }
    await connection.run('COMMIT');
    this.#idle.push(connection);
  }

  #rethrow(): void {
    if (this.#error !== null) throw this.#error;
  }
}

function isHuge(rows: readonly Tuple[]): boolean {
  let size = 0;
  for (const row of rows) size += row.size;
  return size > HUGE_BATCH;
}
