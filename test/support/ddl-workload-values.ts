import type { SourceCatalog } from './ddl-workload-catalog.js';
import type { Dice } from './ddl-workload-dice.js';

/*
 * Types of columns, and a value of each for a whole number. Values that Dolt's column cannot hold exactly are among
 * them, but not where they may get into a key (`plain`): there they stop the stream, as they should.
 */

/** `n`: a SQL expression of an integer. */
type ValueFor = (n: string, plain: boolean) => string;

/** One of these by the number, else the last. */
const mixed =
  (every: number, special: readonly string[], otherwise: (n: string) => string): ValueFor =>
  (n, plain) =>
    plain
      ? otherwise(n)
      : `case (${n}) % ${every} ${special.map((text, i) => `when ${i} then ${text}`).join(' ')} else ${otherwise(n)} end`;

/** Does not compress, so that it is kept outside of its row. */
const long = (n: string): string =>
  `(select string_agg(md5((${n} * 1000 + k)::text), '') from generate_series(1, 200) k)`;

const BASE: readonly (readonly [type: RegExp, ValueFor])[] = [
  [/^smallint$/, (n) => `((${n}) % 30000)::smallint`],
  [/^integer$/, (n) => `(${n})`],
  [/^bigint$/, mixed(23, ['9007199254740993', '-9223372036854775808'], (n) => `(${n})::bigint`)],
  [
    /^numeric$/,
    mixed(17, [`'NaN'::numeric`, `1e40`, '0.1234567890123456789012345678901', '1.50'], (n) => `(${n})::numeric`),
  ],
  [/^numeric\((\d+),/, (n) => `((${n}) % 900 + ((${n}) % 7) / 8.0)`],
  [/^real$/, mixed(13, [`'NaN'`, `'-0'`, `'infinity'`, '0.1'], (n) => `(${n})::real`)],
  [/^double precision$/, mixed(13, [`'NaN'`, `'-0'`, '1e-310', '0.1'], (n) => `(${n})::double precision`)],
  [/^text$/, mixed(19, [`''`, `E'a\\'b\\\\c\\n\\t😀'`, `repeat('é ', 40)`, `'NULL'`], (n) => `(${n})::text`)],
  [/^character varying(\(|$)/, (n) => `(${n})::text`],
  [/^character\(/, (n) => `right((${n})::text, 5)`],
  [/^boolean$/, (n) => `((${n}) % 2 = 0)`],
  [/^date$/, mixed(13, [`'infinity'`, `'0044-03-15 BC'`], (n) => `('2020-01-01'::date + (${n}) % 3000)`)],
  [
    /^timestamp(\(\d\))? without/,
    mixed(13, [`'-infinity'`], (n) => `('2020-01-01'::timestamp + (${n}) * interval '1.000001 second')`),
  ],
  [
    /^timestamp(\(\d\))? with/,
    mixed(13, [`'infinity'`], (n) => `('2020-01-01 00:00Z'::timestamptz + (${n}) * interval '1 hour')`),
  ],
  [/^time/, (n) => `('00:00'::time + (${n}) * interval '1.5 second')`],
  [/^interval/, (n) => `((${n}) * interval '1 minute')`],
  [/^uuid$/, (n) => `md5((${n})::text)::uuid`],
  [/^bytea$/, (n) => `decode(md5((${n})::text), 'hex')`],
  [/^jsonb$/, mixed(7, [`'{"b": 1.10, "a": 9007199254740993}'`, `'null'`], (n) => `to_jsonb(${n})`)],
  [/^json$/, mixed(7, [`'{"b" : 1.10,  "b": [1, null]}'`], (n) => `to_json(${n})`)],
  [/^inet$/, (n) => `('10.0.0.0'::inet + (${n}) % 60000)`],
  [/^bit\(8\)$/, (n) => `((${n}) % 256)::bit(8)`],
  [/^int4range$/, (n) => `int4range((${n}), (${n}) + 5)`],
  [/^point$/, (n) => `point((${n}), 0.5)`],
  [/^tsvector$/, (n) => `to_tsvector('simple', (${n})::text)`],
];

/** An expression of the column's type, null for a type that the workload does not know. */
export function valueFor(type: string, n: string, catalog: SourceCatalog, plain: boolean, depth = 0): string | null {
  if (depth > 3) return null;
  if (type.endsWith('[]')) {
    const element = valueFor(type.slice(0, -2), `(${n})`, catalog, plain, depth + 1);
    if (element === null) return null;
    return plain
      ? `array[${element}]::${type}`
      : `case (${n}) % 5 when 0 then '{}' else array[${element}, null] end::${type}`;
  }
  const own = catalog.types.get(type);
  switch (own?.kind) {
    case 'e': {
      const labels = own.labels.map((label) => `'${label.replaceAll("'", "''")}'`);
      return `(array[${labels.join(', ')}])[1 + (${n}) % ${labels.length}]::${type}`;
    }
    case 'd': {
      const base = valueFor(own.base, n, catalog, plain, depth + 1);
      return base === null ? null : `(${base})::${type}`;
    }
    case 'c': {
      const fields = own.attributes.map((attribute) => valueFor(attribute.type, n, catalog, plain, depth + 1));
      return fields.includes(null) ? null : `row(${fields.join(', ')})::${type}`;
    }
    case undefined: {
      const of = BASE.find(([pattern]) => pattern.test(type))?.[1];
      return of ? `(${of(n, plain)})::${type}` : null;
    }
  }
}

/** A text that Postgres keeps outside of its row, and does not send with an update of other columns. */
export const longText = (n: string): string => long(n);

/** What a column of the workload may become. Of those of a key, all values print what they are. */
export const KEY_TYPES: readonly string[] = [
  'smallint',
  'integer',
  'bigint',
  'numeric(12,3)',
  'character varying(30)',
  'character(8)',
  'uuid',
];

const TYPES: readonly string[] = [
  ...KEY_TYPES,
  'numeric',
  'numeric(20,6)',
  'real',
  'double precision',
  'text',
  'text',
  'character varying(100)',
  'character varying',
  'boolean',
  'date',
  'timestamp without time zone',
  'timestamp(3) without time zone',
  'timestamp with time zone',
  'time without time zone',
  'interval',
  'bytea',
  'jsonb',
  'json',
  'inet',
  'bit(8)',
  'int4range',
  'point',
  'integer[]',
  'text[]',
  'numeric(12,3)[]',
];

export function anyType(dice: Dice, catalog: SourceCatalog): string {
  const own = [...catalog.types.keys()];
  if (own.length === 0 || dice.chance(75)) return dice.pick(TYPES);
  const type = dice.pick(own);
  return dice.chance(20) ? `${type}[]` : type;
}

/** Whether a column may be part of a key, with the values that it may have. */
export const fitsKey = (type: string, catalog: SourceCatalog): boolean =>
  KEY_TYPES.includes(type) || catalog.types.get(type)?.kind === 'e';
