import { describe, expect, it } from 'vitest';
import { load, loadOptions, loadYaml, problemsOf, URLS } from '../test/support/config.js';
import { redact } from './config.js';
import { optionsFor, selects } from './core/patterns.js';

describe('tables', () => {
  const yaml = `
tables:
  public.*: true
  public.audit_*: false
  orders: bestellungen
  '*.*': {exclude: [password]}
  sales.lines: {name: zeilen, types: {price: 'DECIMAL(20,4)'}}
`;

  it('as a map select, rename, exclude columns and set types', async () => {
    const { tables } = await loadYaml(yaml);
    expect(selects(tables, 'public', 'orders')).toBe(true);
    expect(selects(tables, 'public', 'audit_log')).toBe(false);
    expect(selects(tables, 'sales', 'lines')).toBe(false);
    expect(optionsFor(tables, 'public', 'orders').name).toBe('bestellungen');
    expect(optionsFor(tables, 'sales', 'lines')).toEqual({
      name: 'zeilen',
      excludeColumns: new Set(['password']),
      columnTypes: new Map([['price', 'DECIMAL(20,4)']]),
    });
  });

  it('of a flag replace the selection of the file, and keep its options', async () => {
    const { tables } = await load({
      argvOptions: { ...URLS, tables: 'sales.*,!sales.x' },
      files: { 'wal2dolt.yaml': yaml },
    });
    expect(selects(tables, 'public', 'orders')).toBe(false);
    expect(selects(tables, 'sales', 'lines')).toBe(true);
    expect(selects(tables, 'sales', 'x')).toBe(false);
    expect(optionsFor(tables, 'public', 'orders').name).toBe('bestellungen');
  });

  it('as a list and as text are the same', async () => {
    const { tables } = await loadYaml("tables: [public.*, '!public.audit_*']");
    expect(redact({ ...(await loadOptions({ tables: 'public.*,!public.audit_*' })) })).toEqual(
      redact({ ...(await load({})), tables }),
    );
  });

  it('are all wrong ones told', async () => {
    const problems = await problemsOf(loadYaml('tables:\n  a.b.c: true\n  d: {nome: x, exclude: 5}\n'));
    expect(problems).toContain('tables.a.b.c (wal2dolt.yaml line 2): expected table or schema.table, got "a.b.c"');
    expect(problems).toContain('tables.d (wal2dolt.yaml line 2): unknown nome; accepted are name, exclude, types');
    expect(problems).toContain('tables.d.exclude (wal2dolt.yaml line 2)');
  });
});

describe('secrets', () => {
  it('are not in what is logged', async () => {
    const shown = JSON.stringify(redact(await loadOptions({ until: '0/1', types: '{numeric: DOUBLE}' })));
    expect(shown).not.toMatch(/s3cret|h1dden/);
    expect(shown).toContain('postgres://ann:***@db/shop');
    expect(shown).toContain('"until":"0/1"');
    expect(shown).toContain('"numeric":"DOUBLE"');
  });

  it.each([
    ['source', 'postgres://ann:s3cret#1@db/shop'],
    ['source', 'postgres://ann:1?s3cret@db/shop'],
    ['source', 'postgres://ann:1/s3cret@db/shop'],
    ['source', 'postgres://ann:s3cret%zz@db/shop'],
    ['source', 'postgres://ann:s3cret@db:port/shop'],
    ['source', 'mysql://ann:s3cret@db/shop'],
    ['source', 's3cret'],
    ['target', 'mysql://ann:s3cret@dolt/'],
    ['target', 'mysql://ann:s3cret@dolt/shop/branch'],
    ['target', 'mysql://ann:s3cret@dolt/shop?timeout=5'],
    ['target', 'mysql://ann:s3cret@/shop'],
    ['source', 'postgres://ann:s3cret@db:0/shop'],
    ['target', 'mysql://ann:s3cret@dolt:0/shop'],
    ['target', 'mysql://ann:s3cret@dolt/mysql'],
    ['target', 'mysql://ann:s3cret@dolt/Information_Schema'],
    ['target', 'mysql://ann:s3cret@dolt/100%25'],
    ['target', 'mysql://ann:s3cret@dolt/a%5Cb'],
    ['targetBranch', 'HEAD'],
    ['stagingBranch', 'g2rb8fv7l0ufmc7o7ug0acl7s12ajbiq'],
    ['slot', 'postgres://ann:s3cret@db/shop'],
  ])('are not in the message about a bad %s: %s', async (option, value) => {
    expect(await problemsOf(loadOptions({ [option]: value }))).not.toContain('s3cret');
    expect(await problemsOf(loadYaml(`? ${value}\n: 1`))).not.toContain('s3cret@');
  });

  it('are not in the message about a stray argument', async () => {
    expect(await problemsOf(load({ argvUnknown: [URLS.source] }))).toBe(
      'unexpected argument "postgres://ann:***@db/shop"',
    );
  });
});
