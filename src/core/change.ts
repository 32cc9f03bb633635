import type { Lsn, Micros } from './position.js';
import type { Tuple } from './tuple.js';

/**
 * What the source says, in WAL order: the messages of pgoutput version 1, decoded.
 * Source: https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
 */
export type SourceEvent =
  | { readonly kind: 'begin'; readonly finalLsn: Lsn; readonly commitTime: Micros; readonly xid: number }
  | { readonly kind: 'commit'; readonly commitLsn: Lsn; readonly endLsn: Lsn; readonly commitTime: Micros }
  | { readonly kind: 'origin'; readonly lsn: Lsn; readonly name: string }
  | RelationEvent
  | { readonly kind: 'type'; readonly oid: number; readonly schema: string; readonly name: string }
  | RowEvent
  | TruncateEvent
  | MessageEvent;

export interface RelationEvent {
  readonly kind: 'relation';
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly replicaIdentity: 'd' | 'n' | 'f' | 'i';
  readonly columns: readonly RelationColumn[];
}

export interface RelationColumn {
  readonly name: string;
  readonly typeOid: number;
  readonly typmod: number;
  /** Part of the replica identity (with FULL: every column). */
  readonly key: boolean;
}

/** `old` is the row's identity before: a 'K' tuple has only key columns (the others NULL), an 'O' tuple all of them. */
export type RowEvent =
  | { readonly kind: 'insert'; readonly oid: number; readonly row: Tuple }
  | { readonly kind: 'update'; readonly oid: number; readonly old: OldRow | null; readonly row: Tuple }
  | { readonly kind: 'delete'; readonly oid: number; readonly old: OldRow };

export interface OldRow {
  readonly full: boolean;
  readonly row: Tuple;
}

export interface TruncateEvent {
  readonly kind: 'truncate';
  readonly oids: readonly number[];
  readonly cascade: boolean;
  readonly restartIdentity: boolean;
}

/** `pg_logical_emit_message`; content is decoded as UTF-8. */
export interface MessageEvent {
  readonly kind: 'message';
  readonly transactional: boolean;
  readonly lsn: Lsn;
  readonly prefix: string;
  readonly content: string;
}

/** What the replication connection yields: source events, and the server's own sign of life. */
export type StreamEvent =
  | SourceEvent
  | {
      readonly kind: 'keepalive';
      /** Everything before it has been sent. */
      readonly walEnd: Lsn;
      readonly replyRequested: boolean;
    };
