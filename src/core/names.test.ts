import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acceptedName, foldName, tableNameFor, uniqueNames } from './names.js';

const bytes = (text: string): Buffer => Buffer.from(text);

/** What Dolt 2.2 was seen to refuse in a table's name, or to keep for itself. */
function isAccepted(name: string): boolean {
  const last = bytes(name).at(-1) ?? 0x20;
  const isSpace = (last >= 0x09 && last <= 0x0d) || last === 0x20 || last === 0x85 || last === 0xa0;
  return (
    bytes(name).length <= 64 && !isSpace && !/^(dolt|wal2dolt_)/i.test(name) && !/[\u{10000}-\u{10ffff}]/u.test(name)
  );
}

/** Go lower-cases each code point by itself; only `İ` becomes more than one in JavaScript. */
const inGo = (name: string): string =>
  [...name].map((character) => (character === 'İ' ? 'i' : character.toLowerCase())).join('');

describe('folding', () => {
  it.each([
    ['Foo', 'fOO'],
    ['ÉTÉ', 'été'],
    ['e\u0301', 'é'],
    ['ẞ', 'ß'],
    ['STRAẞE', 'straße'],
    ['İstanbul', 'istanbul'],
    ['\u212Aelvin', 'kelvin'],
    ['\u2126', 'ω'],
    ['ϴ', 'θ'],
    ['ΣΑΣ', 'σας'],
    ['ǅ', 'ǆ'],
    ['Ⅷ', 'ⅷ'],
  ])('takes %s and %s for the same', (left, right) => {
    expect(foldName(left)).toBe(foldName(right));
  });

  it.each([
    ['a', 'b'],
    ['a', 'á'],
    ['a_1', 'a1'],
    ['x', 'x '],
  ])('tells %s from %s', (left, right) => {
    expect(foldName(left)).not.toBe(foldName(right));
  });

  it('takes for the same whatever Dolt does, character by character', () => {
    const missed: string[] = [];
    for (let code = 1; code <= 0xffff; code += 1) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      const character = String.fromCodePoint(code);
      if (foldName(character) !== foldName(inGo(character))) missed.push(character);
    }
    expect(missed).toEqual([]);
  });

  it('takes for the same whatever Dolt does, word by word', () => {
    const letters = fc.constantFrom(...'aAßẞİIiıΣσςeE\u0301\u0307ǅǆKſsS');
    fc.assert(
      fc.property(fc.string({ unit: letters, maxLength: 8 }), (name) => {
        expect(foldName(name)).toBe(foldName(inGo(name)));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a table', () => {
  it.each([
    ['public', 'orders', undefined, 'orders'],
    ['sales', 'orders', undefined, 'sales__orders'],
    ['public', 'Orders of "x"', undefined, 'Orders of "x"'],
    ['sales', 'orders', 'mine', 'mine'],
    ['$&', "$'", undefined, "$&__$'"],
    ['{table}', 'x', undefined, 'x__x'],
    ['public', 'dolt_log', undefined, 't_dolt_log'],
    ['public', 'Dolts', undefined, 't_Dolts'],
    ['public', 'wal2dolt_position', undefined, 't_wal2dolt_position'],
    ['public', 'WAL2DOLT_x', undefined, 't_WAL2DOLT_x'],
    ['public', 'wal2dolt', undefined, 'wal2dolt'],
    ['public', 'my_dolt_x', undefined, 'my_dolt_x'],
    ['public', 'x', 'dolt_x', 't_dolt_x'],
    ['dolt', 'x', undefined, 't_dolt__x'],
    ['public', 'pizza🍕!', undefined, 'pizzau1f355!'],
    ['public', 'blanks  ', undefined, 'blanks__'],
    ['public', 'tab\t', undefined, 'tab_'],
    ['public', 'line\n', undefined, 'line_'],
    ['public', ' leading', undefined, ' leading'],
    ['public', 'città', undefined, 'città_'],
    ['public', 'успех', undefined, 'успех_'],
    ['public', 'hard\u00a0', undefined, 'hard\u00a0_'],
    ['public', 'été', undefined, 'été'],
  ])('%s.%s (called %s) is %s', (schema, table, given, name) => {
    expect(tableNameFor('{schema}__{table}', schema, table, given)).toBe(name);
  });

  it('by another template', () => {
    expect(tableNameFor('{table} of {schema}', 'sales', 'orders')).toBe('orders of sales');
    expect(tableNameFor('{table}', 'sales', 'orders')).toBe('orders');
    expect(tableNameFor('{schema}', 'sales', '')).toBe('sales');
  });

  it('has no blank where its name is cut', () => {
    const name = tableNameFor('{schema}__{table}', 's'.repeat(61), ' b');
    expect(name).toBe(`${'s'.repeat(61)}___`);
    expect(acceptedName('à'.repeat(32))).toBe(`${'à'.repeat(31)}_`);
    expect(acceptedName(`${'x'.repeat(62)}à`)).toBe(`${'x'.repeat(62)}_`);
  });
});

/** Names of all lengths, out of what is special in names. */
const wish = fc.oneof(
  fc.string({
    unit: fc.constantFrom('a', 'A', 'é', 'É', 'ß', 'ẞ', '_', '2', ' ', '\t', 'à', 'х', '日', '🍕', '\u0301'),
    maxLength: 50,
  }),
  fc.constantFrom(
    'foo',
    'Foo',
    'FOO',
    'foo_2',
    'foo_3',
    'Foo_2',
    '',
    ' ',
    'dolt',
    'wal2dolt_commits',
    'x'.repeat(64),
    'X'.repeat(70),
  ),
);

describe('names of several', () => {
  it.each([
    [['foo', 'Foo', 'FOO'], [], ['foo', 'Foo_2', 'FOO_3']],
    [['foo', 'Foo', 'foo_2'], [], ['foo', 'Foo_2', 'foo_2_2']],
    [['foo', 'foo_2', 'Foo'], [], ['foo', 'foo_2', 'Foo_3']],
    [['foo'], ['FOO', 'foo_2'], ['foo_3']],
    [['straße', 'STRAẞE'], [], ['straße', 'STRAẞE_2']],
    [['x'.repeat(64), 'X'.repeat(64)], [], ['x'.repeat(64), `${'X'.repeat(62)}_2`]],
    [['é'.repeat(33), 'É'.repeat(33)], [], ['é'.repeat(32), `${'É'.repeat(31)}_2`]],
  ])('%j beside %j', (wishes, taken, names) => {
    expect(uniqueNames(wishes, taken)).toEqual(names);
  });

  it('have room for a longer number', () => {
    const names = uniqueNames(Array.from({ length: 11 }, () => 'x'.repeat(64)));
    expect(names.slice(-2)).toEqual([`${'x'.repeat(61)}_10`, `${'x'.repeat(61)}_11`]);
  });

  it('are different to Dolt, and short enough, whatever is wished', () => {
    fc.assert(
      fc.property(fc.array(wish, { maxLength: 12 }), fc.array(wish, { maxLength: 4 }), (wishes, taken) => {
        const names = uniqueNames(wishes, taken);
        expect(names).toHaveLength(wishes.length);
        for (const name of names) expect(bytes(name).length).toBeLessThanOrEqual(64);
        const all = [...new Set(taken), ...names];
        expect(new Set(names.map(inGo)).size).toBe(names.length);
        expect(names.filter((name) => taken.some((other) => inGo(other) === inGo(name)))).toEqual([]);
        expect(all.join('')).toBe(Buffer.from(all.join('')).toString()); // no character was cut in two
      }),
      { numRuns: 500 },
    );
  });

  it('of tables are accepted by Dolt', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(wish, wish), { maxLength: 12 }), (tables) => {
        const names = uniqueNames(tables.map(([schema, table]) => tableNameFor('{schema}__{table}', schema, table)));
        expect(names.filter((name) => !isAccepted(name))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('depend on nothing that comes later', () => {
    fc.assert(
      fc.property(fc.array(wish), fc.array(wish), (first, later) => {
        const names = uniqueNames(first);
        expect(uniqueNames([...first, ...later]).slice(0, first.length)).toEqual(names);
        expect(uniqueNames([...first, ...later]).slice(first.length)).toEqual(uniqueNames(later, names));
      }),
    );
  });
});
