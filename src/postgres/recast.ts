import type pg from 'pg';
import type { ColumnType } from '../core/schema.js';
import { queryRows } from './client.js';

/** Values in one statement. */
const CHUNK = 10_000;

/** Types whose text is the value: what a cast to them prints is final. */
const TEXTS = new Set(['text', 'varchar', 'bpchar', 'name', 'char']);

/**
 * Values as Postgres prints them after a cast from one type to another, as ALTER COLUMN … TYPE makes it; `byText`: after
 * `text::from::text::to`. `settings` are those of the session that did it (`TimeZone`, `DateStyle`, …); the texts are in
 * and out as sessions of `connectSource` print them. Null where the cast gives NULL (Postgres 18: `'null'::jsonb::int`).
 * Throws a Wal2DoltError where a type is gone by now, or a value can not be cast.
 */
export async function recast(
  client: pg.Client,
  { from, to, byText = false }: { readonly from: ColumnType; readonly to: ColumnType; readonly byText?: boolean },
  settings: Readonly<Record<string, string>>,
  texts: readonly string[],
): Promise<(string | null)[]> {
  const print = TEXTS.has(to.base);
  // Only a text keeps the other session's way to print; of all other types the value is wanted, read as it was there.
  const theirs = Object.entries(settings).flatMap(([name, value]): [string, string][] => {
    if (print || name === 'TimeZone' || (byText && name === 'extra_float_digits')) return [[name, value]];
    return name === 'DateStyle' ? [[name, `ISO, ${value.split(',')[1]?.trim() ?? 'MDY'}`]] : [];
  });
  const expression = ['value', from.name, ...(byText ? ['text'] : []), to.name].join('::');
  const results: (string | null)[] = [];
  for (let start = 0; start < texts.length; start += CHUNK) {
    const some = texts.slice(start, start + CHUNK);
    await queryRows(client, 'BEGIN READ ONLY');
    try {
      for (const [name, value] of theirs) await queryRows(client, 'SELECT set_config($1, $2, true)', [name, value]);
      const made = await castAll(client, some, expression);
      await queryRows(client, 'COMMIT');
      results.push(...(print ? made : await castAll(client, made, `value::${to.name}`)));
    } catch (error) {
      await queryRows(client, 'ROLLBACK').catch(() => {});
      throw error;
    }
  }
  return results;
}

async function castAll(
  client: pg.Client,
  texts: readonly (string | null)[],
  expression: string,
): Promise<(string | null)[]> {
  // A cast to text is not always what Postgres prints: it takes the blanks off a char(n), and calls true `true`.
  const rows = await queryRows<{ made: string | null }>(
    client,
    `SELECT CASE WHEN made IS DISTINCT FROM NULL THEN format('%s', made) END AS made
     FROM (SELECT place, ${expression} AS made FROM unnest($1::text[]) WITH ORDINALITY given (value, place)) made
     ORDER BY place`,
    [texts],
  );
  return rows.map(({ made }) => made);
}
