import { describe, expect, it } from 'vitest';
import { checkExpression } from './check-expression.js';

const columns = new Set(['price', 'status', 'From']);
const translate = (definition: string): string | null =>
  checkExpression(definition, (name) => (columns.has(name) ? `\`${name}\`` : null));

describe('a check in Dolt', () => {
  it.each([
    ['CHECK ((price > (0)::numeric))', '( `price` > ( 0 ) )'],
    ["CHECK ((status = 'it''s'::text))", "( `status` = 'it''s' )"],
    [
      "CHECK (((status)::text = ANY ((ARRAY['new'::character varying, 'paid'::character varying])::text[])))",
      "( ( `status` ) IN ('new', 'paid') )",
    ],
    ["CHECK ((status = ANY (ARRAY['a'::text, 'b'::text])))", "( `status` IN ('a', 'b') )"],
    ['CHECK (((price IS NOT NULL) OR ("From" <> 3))) NOT VALID', '( ( `price` IS NOT NULL ) OR ( `From` <> 3 ) )'],
    ['CHECK ((price < (3.5)::numeric(10,2)))', '( `price` < ( 3.5 ) )'],
    ["CHECK ((price > '2020-01-01 00:00:00'::timestamp without time zone))", "( `price` > '2020-01-01 00:00:00' )"],
  ])('%s', (definition, expected) => {
    expect(translate(definition)).toBe(expected);
  });

  it.each([
    'CHECK ((length(status) > 3))',
    "CHECK ((status ~ '^a'::text))",
    'CHECK ((price / 2 > 1))',
    'CHECK ((unknown_column > 1))',
    'CHECK ((price = ANY (ARRAY[price, 2])))',
    'EXCLUDE USING gist (price WITH =)',
  ])('is left out where Dolt could read it differently: %s', (definition) => {
    expect(translate(definition)).toBeNull();
  });
});
