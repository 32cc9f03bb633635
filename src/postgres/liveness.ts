/**
 * Both ends of a replication connection must notice when the other is gone. Postgres ends a walsender that hears nothing for
 * `wal_sender_timeout`; we end a connection on which nothing arrives though we keep asking for an answer.
 * Source: https://www.postgresql.org/docs/current/runtime-config-replication.html#GUC-WAL-SENDER-TIMEOUT
 */
export interface Liveness {
  /** How often to send a status that asks the server to answer, in milliseconds. */
  readonly tickMs: number;
  /** After so many ticks without a byte the connection is dead. */
  readonly silentTicks: number;
}

const DEFAULT_TIMEOUT_MS = 60_000;
const TICK_WITHOUT_TIMEOUT_MS = 10_000;
const SHORTEST_TICK_MS = 100;

/**
 * `walSenderTimeoutMs` as the server has it, 0 where it is switched off (the server then never gives up, we still do).
 *
 * 60 %: after the server's own question at 50 %, before its patience ends. Two of its timeouts of silence, so that the server,
 * which knows more, is the first to give up.
 */
export function liveness(walSenderTimeoutMs: number): Liveness {
  const tickMs =
    walSenderTimeoutMs > 0 ? Math.max(SHORTEST_TICK_MS, walSenderTimeoutMs * 0.6) : TICK_WITHOUT_TIMEOUT_MS;
  const silenceMs = 2 * (walSenderTimeoutMs > 0 ? walSenderTimeoutMs : DEFAULT_TIMEOUT_MS);
  return { tickMs, silentTicks: Math.ceil(silenceMs / tickMs) };
}

/**
 * Counts ticks without a byte from the server, and not time: after a process that stood still (a long computation, a suspended
 * machine) the timer fires once, before the socket is read, and what waits there must not be taken for silence.
 */
export class SilenceDetector {
  readonly #limit: number;
  #ticks = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  heard(): void {
    this.#ticks = 0;
  }

  /** To be called on every tick. True when the connection is dead; never while we ourselves do not read (`listening` false). */
  tick(listening: boolean): boolean {
    this.#ticks = listening ? this.#ticks + 1 : 0;
    return this.#ticks > this.#limit;
  }
}
