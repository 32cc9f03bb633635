import type { Column } from '../core/schema.js';
import type { Conversion } from '../core/target.js';
import { Wal2DoltError } from '../errors.js';
import { type ColumnOptions, conversionFor } from './mapping.js';

/** Dolt refuses a table whose columns declare as much as this (`invalid table spec: expected size < 65504`). */
const ROW_BYTES = 65_504;

/** Dolt panics when two neighbouring keys together exceed 65,535 bytes, so a key stays below half of that. */
const KEY_BYTES = 32_000;

export interface PlannedColumn extends ColumnOptions {
  readonly column: Column;
}

/**
 * Conversions for all columns of a table, in their order: each as its type wants it, as long as the key and the row
 * stay within Dolt's limits. Text columns in a key share its bytes; other VARCHAR columns become LONGTEXT, the largest
 * first and indexed ones last, until the row fits. The same columns always give the same plan.
 *
 * @throws Wal2DoltError E_CONFIG where an override makes no sense, or where the limits cannot be kept because of them.
 */
export function planColumns(columns: readonly PlannedColumn[]): readonly Conversion[] {
  const planned = columns.map((column) => ({ ...column, conversion: choose(column, column.override) }));
  shareKey(planned);
  fitRow(planned);
  return planned.map(({ conversion }) => conversion);
}

type Planned = PlannedColumn & { conversion: Conversion };

function choose({ column, inKey, indexed }: PlannedColumn, override: string | undefined): Conversion {
  try {
    return conversionFor(column.type, { inKey, indexed, override });
  } catch (error) {
    if (!(error instanceof Wal2DoltError)) throw error;
    throw new Wal2DoltError(error.code, `column ${column.name}: ${error.message}`, { cause: error });
  }
}

const sizeOf = (columns: readonly Planned[]): number =>
  columns.reduce((sum, { conversion }) => sum + conversion.declaredBytes, 0);

const isFree = (type: string, { conversion, override }: Planned): boolean =>
  override === undefined && conversion.sql.startsWith(type);

/** Lowers the longest VARCHAR and VARBINARY columns of the key to the size at which it fits, the same for all of them. */
function shareKey(columns: readonly Planned[]): void {
  const key = columns.filter(({ inKey }) => inKey);
  const flexible = key
    .filter((column) => isFree('VAR', column))
    .sort((a, b) => a.conversion.declaredBytes - b.conversion.declaredBytes);
  let left = KEY_BYTES - sizeOf(key.filter((column) => !flexible.includes(column)));
  for (const [i, column] of flexible.entries()) {
    const share = Math.floor(left / (flexible.length - i));
    if (column.conversion.declaredBytes > share) {
      const binary = column.conversion.sql.startsWith('VARBINARY');
      const size = binary ? share : Math.floor(share / 4);
      if (size < 1) break;
      column.conversion = choose(column, `${binary ? 'VARBINARY' : 'VARCHAR'}(${size})`);
    }
    left -= column.conversion.declaredBytes;
  }
  if (sizeOf(key) > KEY_BYTES) {
    throw new Wal2DoltError(
      'E_CONFIG',
      `the key (${key.map(({ column }) => column.name).join(', ')}) could have ${sizeOf(key)} bytes with the types of the configuration, and Dolt allows ${KEY_BYTES} (a character counts as 4)`,
    );
  }
}

function fitRow(columns: readonly Planned[]): void {
  const candidates = columns
    .filter((column) => !column.inKey && isFree('VARCHAR', column))
    .sort(
      (a, b) =>
        Number(a.indexed) - Number(b.indexed) ||
        b.conversion.declaredBytes - a.conversion.declaredBytes ||
        a.column.attnum - b.column.attnum,
    );
  for (const column of candidates) {
    if (sizeOf(columns) < ROW_BYTES) return;
    column.conversion = choose(column, 'LONGTEXT');
  }
  if (sizeOf(columns) >= ROW_BYTES) {
    throw new Wal2DoltError(
      'E_CONFIG',
      `the columns declare ${sizeOf(columns)} bytes, and Dolt allows less than ${ROW_BYTES} (a VARCHAR counts 4 a character): let a long VARCHAR be LONGTEXT`,
    );
  }
}
