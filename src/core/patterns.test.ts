import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  mergeRules,
  optionsFor,
  parsePattern,
  parseSelection,
  selects,
  splitPatterns,
  type TableOptions,
  type TableRules,
  unknownColumns,
  unmatchedPatterns,
} from './patterns.js';
import { qualifiedName } from './schema.js';

const rules = (selection: string, options: Record<string, TableOptions> = {}): TableRules => ({
  selection: splitPatterns(selection).map(parseSelection),
  options: Object.entries(options).map(([key, value]) => ({ pattern: parsePattern(key), options: value })),
});

describe('a pattern', () => {
  it.each([
    ['orders', 'public', 'orders', true],
    ['orders', 'sales', 'orders', false],
    ['sales.orders', 'sales', 'orders', true],
    ['*', 'public', 'anything', true],
    ['*', 'sales', 'anything', false],
    ['*.*', 'sales', 'anything', true],
    ['sales.*', 'sales', '', true],
    ['public.or*s', 'public', 'ors', true],
    ['public.or*s', 'public', 'or a.b\ns', true],
    ['public.or*s', 'public', 'orders2', false],
    ['*.log', 'a.b', 'log', true],
    ['Orders', 'public', 'orders', false],
    ['or.ers', 'or', 'ers', true],
    ['order(s)+', 'public', 'orders', false],
    ['order(s)+', 'public', 'order(s)+', true],
    ['"a.b*"', 'public', 'a.b*', true],
    ['"a.b*"', 'public', 'a.bc', false],
    ['"my schema"."say ""hi"""', 'my schema', 'say "hi"', true],
    ['public . orders', 'public', 'orders', true],
    ['größe_*', 'public', 'größe_😀', true],
  ])('%s on %s.%s: %s', (pattern, schema, name, expected) => {
    expect(parsePattern(pattern).matches(schema, name)).toBe(expected);
  });

  it.each(['', '.', 'a.', '.a', 'a.b.c', '"a', 'a"b"', '"a"b', '""', 'a."b', ' '])('is refused: %s', (text) => {
    expect(() => parsePattern(text)).toThrow(TypeError);
  });

  it('knows whether it can match several tables', () => {
    expect(parsePattern('a.b*').wildcard).toBe(true);
    expect(parsePattern('*.b').wildcard).toBe(true);
    expect(parsePattern('a."b*"').wildcard).toBe(false);
  });

  it('in quotes matches its own name and no other', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1 });
    fc.assert(
      fc.property(name, name, name, (schema, table, other) => {
        const quote = (part: string) => `"${part.replaceAll('"', '""')}"`;
        const pattern = parsePattern(`${quote(schema)}.${quote(table)}`);
        expect(pattern.matches(schema, table)).toBe(true);
        expect(pattern.matches(schema, other)).toBe(other === table);
      }),
    );
  });

  it('lets a star stand for any text', () => {
    const text = fc.string({ unit: 'grapheme' });
    const plain = fc.string({ unit: fc.constantFrom('a', 'b', '(', '+', '\\', '$', '[', '-'), minLength: 1 });
    fc.assert(
      fc.property(plain, text, plain, (start, middle, end) => {
        const { matches } = parsePattern(`${start}*${end}`);
        expect(matches('public', start + middle + end)).toBe(true);
        expect(matches('public', `${start}${middle}${end}!`)).toBe(false);
      }),
    );
  });
});

describe('a list of patterns', () => {
  it('is split at commas outside of quotes', () => {
    expect(splitPatterns(' a , "b,c".d,, !x')).toEqual(['a', '"b,c".d', '!x']);
  });
});

describe('selection', () => {
  const chosen = (text: string) => {
    const parsed = rules(text);
    const tables = ['public.orders', 'public.audit_log', 'sales.orders'];
    return tables.filter((table) => selects(parsed, table.split('.')[0] ?? '', table.split('.')[1] ?? ''));
  };

  it.each([
    ['', ['public.orders', 'public.audit_log', 'sales.orders']],
    ['public.*', ['public.orders', 'public.audit_log']],
    ['public.*,!public.audit_*', ['public.orders']],
    ['!public.audit_*,public.*', ['public.orders']],
    ['!audit_log', ['public.orders', 'sales.orders']],
    ['audit_log,!*.*', []],
    ['sales.orders,orders', ['public.orders', 'sales.orders']],
  ])('%s', (text, expected) => {
    expect(chosen(text)).toEqual(expected);
  });

  it('is not changed by options', () => {
    const renamed = rules('', { orders: { name: 'x' } });
    expect(selects(renamed, 'public', 'audit_log')).toBe(true);
    expect(selects(rules('audit_log', { orders: { name: 'x' } }), 'public', 'orders')).toBe(false);
  });
});

describe('options', () => {
  const parsed = rules('', {
    '*.*': { exclude: ['password'], types: { price: 'DOUBLE', note: 'TEXT' } },
    orders: { name: 'bestellungen', exclude: ['secret'], types: { price: 'DECIMAL(10,2)' } },
  });

  it('of all matching entries are put together, the last one wins', () => {
    expect(optionsFor(parsed, 'public', 'orders')).toEqual({
      name: 'bestellungen',
      excludeColumns: new Set(['password', 'secret']),
      columnTypes: new Map([
        ['price', 'DECIMAL(10,2)'],
        ['note', 'TEXT'],
      ]),
    });
    expect(optionsFor(parsed, 'sales', 'orders')).toEqual({
      excludeColumns: new Set(['password']),
      columnTypes: new Map([
        ['price', 'DOUBLE'],
        ['note', 'TEXT'],
      ]),
    });
  });
});

describe('merged rules', () => {
  const base = rules('public.*', { orders: { name: 'a' } });

  it('take the selection of the stronger, and the options of both', () => {
    const merged = mergeRules(base, rules('!x', { orders: { name: 'b' } }));
    expect(selects(merged, 'sales', 'orders')).toBe(true);
    expect(selects(merged, 'public', 'x')).toBe(false);
    expect(optionsFor(merged, 'public', 'orders').name).toBe('b');
  });

  it('keep the selection when the stronger has none', () => {
    expect(selects(mergeRules(base, rules('')), 'sales', 'orders')).toBe(false);
  });
});

it('finds patterns that match nothing', () => {
  const parsed = rules('public.*,!public.audit_*,!adit', { ordrs: { name: 'x' } });
  expect(unmatchedPatterns(parsed, [{ schema: 'public', name: 'orders' }])).toEqual([
    'public.audit_*',
    'adit',
    'ordrs',
  ]);
});

it('finds columns that no table has', () => {
  const parsed = rules('', {
    '*.*': { exclude: ['search'] },
    orders: { exclude: ['Note', 'hidden'], types: { total: 'INT', totl: 'INT' } },
    elsewhere: { exclude: ['x'] },
  });
  const named = (...names: string[]) => names.map((name) => ({ name }));
  const tables = [
    { schema: 'public', name: 'orders', columns: named('id', 'note', 'total'), unpublished: ['hidden'] },
    { schema: 'sales', name: 'offers', columns: named('id', 'search'), unpublished: [] },
  ];
  expect(unknownColumns(parsed, tables)).toEqual(['orders: Note', 'orders: totl']);
});

it('reads a table as messages name it, whatever it is called', () => {
  const name = fc.string({ minLength: 1, unit: fc.constantFrom(...'aB"".*,! \n😀') });
  fc.assert(
    fc.property(name, name, name, (schema, table, other) => {
      const text = qualifiedName({ schema, name: table });
      expect(splitPatterns(text)).toEqual([text]);
      const { include, pattern } = parseSelection(text);
      expect([include, pattern.wildcard]).toEqual([true, false]);
      expect(pattern.matches(schema, table)).toBe(true);
      expect(pattern.matches(schema, other)).toBe(other === table);
    }),
  );
});
