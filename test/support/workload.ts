import fc from 'fast-check';
import type { Dice } from './workload-operations.js';

/** One operation of a transaction: on which table, and which of its operations. Both wrap around. */
export interface Step {
  readonly table: number;
  readonly operation: number;
  readonly dice: Dice;
  /** Whether a savepoint is set before it, and what becomes of that. */
  readonly savepoint: 'none' | 'released' | 'rolledBack';
}

export interface Transaction {
  readonly steps: readonly Step[];
  readonly commits: boolean;
}

/** When a Dolt commit is closed, as the configuration has it. */
export interface Policy {
  readonly maxTransactions: number;
  readonly maxDelay: number;
  readonly maxRows: number;
  readonly maxBytes: string;
}

/** What happens after a transaction while the stream runs. */
export type Happening =
  /** `catchesUp`: waits until Dolt has the transaction. */
  | { readonly kind: 'nothing' | 'catchesUp' | 'sourceBreaks' | 'targetBreaks' }
  /** The run is stopped, so many transactions later it is started again with another policy. */
  | { readonly kind: 'restart'; readonly gap: number; readonly policy: Policy }
  /** In the second session: a transaction begins, goes on, or ends. */
  | { readonly kind: 'second'; readonly step: Step; readonly ends: 'no' | 'commit' | 'rollback' };

export interface Plan {
  readonly before: readonly Transaction[];
  /** While the first copy runs. */
  readonly during: readonly Transaction[];
  readonly after: readonly { readonly transaction: Transaction; readonly next: Happening }[];
  /** While nothing runs, before everything that is there is drained. */
  readonly last: readonly Transaction[];
  /** The first copy is broken off when so many tables are done, and goes on after these transactions. */
  readonly interruptAt: number | null;
  readonly between: readonly Transaction[];
  readonly policy: Policy;
}

const rows = fc.oneof(
  { weight: 30, arbitrary: fc.integer({ min: 1, max: 3 }) },
  { weight: 50, arbitrary: fc.integer({ min: 4, max: 100 }) },
  { weight: 15, arbitrary: fc.integer({ min: 101, max: 1_000 }) },
  { weight: 5, arbitrary: fc.constant(10_000) },
);

const die = fc.nat(999);

const step: fc.Arbitrary<Step> = fc.record({
  table: die,
  operation: die,
  dice: fc.record({ a: die, b: die, c: die, rows }),
  savepoint: fc.oneof(
    { weight: 8, arbitrary: fc.constant('none' as const) },
    { weight: 1, arbitrary: fc.constant('released' as const) },
    { weight: 1, arbitrary: fc.constant('rolledBack' as const) },
  ),
});

const transaction: fc.Arbitrary<Transaction> = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 8, size: 'max' }),
  commits: fc.oneof({ weight: 12, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
});

const policy: fc.Arbitrary<Policy> = fc.record({
  maxTransactions: fc.constantFrom(1, 2, 5, 1_000, 1_000),
  maxDelay: fc.constantFrom(1, 20, 1_000, 1_000),
  maxRows: fc.constantFrom(1, 500, 50_000, 50_000),
  maxBytes: fc.constantFrom('1kB', '50kB', '500kB', '16MB'),
});

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 14, arbitrary: fc.record({ kind: fc.constant('nothing' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('catchesUp' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('restart' as const), gap: fc.nat(3), policy }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('sourceBreaks' as const, 'targetBreaks' as const) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('second' as const),
      step,
      ends: fc.constantFrom('no' as const, 'no' as const, 'commit' as const, 'rollback' as const),
    }),
  },
);

const list = <T>(items: fc.Arbitrary<T>, most: number): fc.Arbitrary<T[]> =>
  fc.array(items, { minLength: Math.ceil(most / 2), maxLength: most, size: 'max' });

/** `size`: about how many transactions. */
export const plans = (size: number): fc.Arbitrary<Plan> =>
  fc.record({
    before: list(transaction, Math.ceil(size * 0.4)),
    during: list(transaction, Math.ceil(size * 0.1)),
    after: list(fc.record({ transaction, next: happening }), Math.ceil(size * 0.5)),
    between: list(transaction, Math.ceil(size * 0.1)),
    last: list(transaction, Math.ceil(size * 0.05)),
    interruptAt: fc.oneof(fc.constant(null), fc.integer({ min: 1, max: 20 })),
    policy,
  });
