import type { OldRow, RowEvent, StreamEvent } from '../../src/core/change.js';
import type { Row } from '../../src/core/row.js';
import type { PlainOldRow } from './plain-changes.js';

/** Events with their rows as cells. */
export type PlainRowEvent =
  | { readonly kind: 'insert'; readonly oid: number; readonly row: Row }
  | { readonly kind: 'update'; readonly oid: number; readonly old: PlainOldRow | null; readonly row: Row }
  | { readonly kind: 'delete'; readonly oid: number; readonly old: PlainOldRow };
export type PlainEvent = Exclude<StreamEvent, RowEvent> | PlainRowEvent;

export function plainEvent(event: StreamEvent): PlainEvent {
  const plainOld = ({ full, row }: OldRow): PlainOldRow => ({ full, row: row.cells() });
  if (event.kind === 'insert') return { ...event, row: event.row.cells() };
  if (event.kind === 'delete') return { ...event, old: plainOld(event.old) };
  if (event.kind === 'update') return { ...event, old: event.old && plainOld(event.old), row: event.row.cells() };
  return event;
}
