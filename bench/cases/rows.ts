/** Rows of about 200 bytes: a number, two texts, a time. */
export const ROW_COLUMNS = 'k int NOT NULL, c varchar(120), p varchar(60), ts timestamptz';

/** The cells of row `g` after its key. */
export const rowCells = `(g::bigint * 7919) % 500000,
  substr(md5(g::text) || md5('a' || g) || md5('b' || g) || md5('c' || g), 1, 119),
  substr(md5('d' || g) || md5('e' || g), 1, 59),
  timestamptz '2026-01-01 00:00:00+00' + g * interval '1.234567 s'`;

/** A key that looks random, and is the same in every run. */
export const uuidKey = `md5('key' || g)::uuid`;
