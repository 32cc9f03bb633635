import { describe, expect, it } from 'vitest';
import { targetOf } from '../../test/support/tables.js';
import { UNCHANGED } from '../core/row.js';
import {
  assertKeyFits,
  cellLiteral,
  deleteCopies,
  deleteKeys,
  sameKey,
  selectRows,
  updateRow,
  whereKeys,
} from './dml.js';

const orders = targetOf({
  name: 'ord`ers',
  columns: { id: 'integer', code: 'text', at: 'timestamp with time zone', amount: 'numeric' },
  key: ['code', 'id'],
});
const [id, code] = orders.columns;
if (!id || !code) throw new Error('columns');

describe('literals', () => {
  it('of a cell that is not known is a defect', () => {
    expect(() => cellLiteral(code, UNCHANGED)).toThrowError(expect.objectContaining({ code: 'E_INTERNAL' }));
  });
});

describe('keys', () => {
  it('are compared one by one, or as tuples in key order', () => {
    const single = targetOf({ name: 't', columns: { a: 'text', id: 'integer' }, key: ['id'] });
    expect(whereKeys(single, [['1'], ['2']])).toBe('`id` IN (1,2)');
    expect(
      whereKeys(orders, [
        ["it's", '1'],
        ['', '-2'],
      ]),
    ).toBe(String.raw`(${'`code`,`id`'}) IN (('it\'s',1),('',-2))`);
  });

  it('that Dolt would take for another are refused, long ones by their beginning', () => {
    const key = (...texts: string[]) => texts;
    expect(() => assertKeyFits(orders, key('x'.repeat(4_000), '1'))).not.toThrow();
    expect(() => assertKeyFits(orders, key('x'.repeat(4_001), '1'))).toThrowError(
      expect.objectContaining({
        code: 'E_VALUE_IN_KEY',
        message: `public.ord\`ers.code (text): the key value ${'x'.repeat(60)}… (4001 characters) does not fit VARCHAR(4000) exactly`,
      }),
    );
    expect(() => whereKeys(orders, [key('x'.repeat(4_001), '1')])).toThrow('does not fit');
  });

  it('are the same only where every part is', () => {
    expect(sameKey(['a', 'b'], ['a', 'b'])).toBe(true);
    expect(sameKey(['a', 'b'], ['ab', ''])).toBe(false);
  });
});

describe('statements', () => {
  it('delete at most 1,000 keys each', () => {
    const keys = Array.from({ length: 2_001 }, (_, i) => ['x', String(i)]);
    const statements = [...deleteKeys(orders, keys)];
    expect(statements.map(({ expect: rows }) => rows)).toEqual([1_000, 1_000, 1]);
    expect(statements[2]?.sql).toBe("DELETE FROM `ord``ers` WHERE (`code`,`id`) IN (('x',2000))");
    expect([...deleteKeys(orders, [])]).toEqual([]);
  });

  it('update the cells that were sent, the key only where it changes', () => {
    const key = ['a', '1'];
    expect(updateRow(orders, key, key, ['1', 'a', UNCHANGED, '1.5'])).toEqual({
      sql: "UPDATE `ord``ers` SET `amount`=1.5 WHERE (`code`,`id`) IN (('a',1))",
      expect: 1,
    });
    expect(updateRow(orders, key, key, ['1', 'a', null, UNCHANGED]).sql).toContain(' SET `at`=NULL WHERE ');
    expect(updateRow(orders, key, ['b', '1'], ['1', 'b', UNCHANGED, UNCHANGED]).sql).toBe(
      "UPDATE `ord``ers` SET `id`=1,`code`='b' WHERE (`code`,`id`) IN (('a',1))",
    );
    expect(updateRow(orders, key, key, ['1', 'a', UNCHANGED, UNCHANGED]).sql).toContain(' SET `code`=`code` WHERE ');
    expect(() => updateRow(orders, key, ['x'.repeat(4_001), '1'], ['1', 'x'.repeat(4_001), null, null])).toThrow(
      'does not fit',
    );
  });

  it('find a row of a table without a key by all its values', () => {
    const log = targetOf({
      name: 'log',
      columns: { a: 'integer', b: 'text', ratio: 'double precision' },
      identity: 'f',
    });
    expect(deleteCopies(log, ['1', "it's", '1.5'], 3)).toEqual({
      sql: String.raw`DELETE FROM ${'`log`'} WHERE ${'`a`'} <=> 1 AND ${'`b`'} <=> 'it\'s' AND ${'`ratio`'} <=> 1.5 LIMIT 3`,
      expect: 3,
    });
    expect(deleteCopies(log, [null, null, 'NaN'], 1).sql).toBe(
      'DELETE FROM `log` WHERE `a` IS NULL AND `b` IS NULL AND `ratio` IS NULL LIMIT 1',
    );
  });

  it('read the key first, in a form that can be restored', () => {
    expect(selectRows(orders, [['a', '1']], [2, 0])).toBe(
      "SELECT `code`,`id`,date_format(`at`, '%Y-%m-%d %H:%i:%s.%f'),`id` FROM `ord``ers` WHERE (`code`,`id`) IN (('a',1))",
    );
  });
});
