import fc from 'fast-check';

/** As many random values, always the same ones. */
const random = <T>(values: fc.Arbitrary<T>, count: number): T[] =>
  fc.sample(values, { numRuns: count, seed: 20_260_101 });

const text = fc.string({ unit: 'binary' }).map((value) => value.replaceAll('\0', ''));
const float8 = fc.double({ noNaN: true, noDefaultInfinity: true });
const float4 = fc.float({ noNaN: true, noDefaultInfinity: true });
const json = fc.json({ maxDepth: 4, stringUnit: 'grapheme' });
const integer = (digits: bigint) => fc.bigInt({ min: -(10n ** digits) + 1n, max: 10n ** digits - 1n });

const inBraces = (items: readonly unknown[]): string => `{${items.join(',')}}`;
const quoted = (item: string): string => `"${item.replace(/["\\]/g, '\\$&')}"`;

/** A moment of the years 1 to 9999. */
const moment = fc
  .tuple(fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }), fc.nat(999_999))
  .map(([seconds, micros]) =>
    new Date(seconds * 1000).toISOString().replace(/000Z$/, `${String(micros).padStart(6, '0')}Z`),
  );

/** Texts that the types can read. */
export const RANDOM_VALUES: readonly { readonly type: string; readonly inputs: readonly string[] }[] = [
  { type: 'double precision', inputs: random(float8, 2_000).map(String) },
  { type: 'double precision', inputs: random(fc.double({ min: -1e6, max: 1e6, noNaN: true }), 1_000).map(String) },
  { type: 'double precision[]', inputs: random(fc.array(float8), 200).map(inBraces) },
  { type: 'real', inputs: random(float4, 2_000).map(String) },
  { type: 'real[]', inputs: random(fc.array(float4), 200).map(inBraces) },
  { type: 'bigint', inputs: random(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), 500).map(String) },
  {
    type: 'numeric',
    inputs: random(fc.tuple(integer(60n), fc.integer({ min: -40, max: 5 })), 1_000).map(([n, e]) => `${n}e${e}`),
  },
  { type: 'numeric', inputs: random(fc.tuple(integer(9n), fc.nat(9)), 500).map(([n, e]) => `${n}e-${e}`) },
  { type: 'numeric(20,6)', inputs: random(integer(20n), 500).map((units) => `${units}e-6`) },
  { type: 'jsonb', inputs: random(json, 1_000).filter((document) => !document.includes('\\u0000')) },
  { type: 'jsonb', inputs: random(fc.array(float8), 500).map((numbers) => JSON.stringify(numbers)) },
  {
    type: 'jsonb',
    inputs: random(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.nat()), 500).map((object) =>
      JSON.stringify(object),
    ),
  },
  { type: 'text', inputs: random(text, 1_000) },
  { type: 'text[]', inputs: random(fc.array(text), 500).map((items) => inBraces(items.map(quoted))) },
  { type: 'bytea', inputs: random(fc.uint8Array(), 500).map((bytes) => `\\x${Buffer.from(bytes).toString('hex')}`) },
  { type: 'timestamp with time zone', inputs: random(moment, 500) },
];
