import fc from 'fast-check';

/** One statement of a transaction. What it is follows from the seed and from what the source is by then. */
export interface Step {
  readonly seed: number;
  /** Whether a savepoint is set before it, and what becomes of that. */
  readonly savepoint: 'none' | 'released' | 'rolledBack';
}

export interface Transaction {
  /** Decides on the session's settings. */
  readonly seed: number;
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
  /** `bare`: a command that may not be in a transaction, such as CREATE INDEX CONCURRENTLY; `resync`: of some table. */
  | { readonly kind: 'bare' | 'resync'; readonly seed: number }
  /** The run is stopped, so many transactions later it is started again with another policy. */
  | { readonly kind: 'restart'; readonly gap: number; readonly policy: Policy }
  /** In the second session: a transaction begins, goes on, or ends. */
  | { readonly kind: 'second'; readonly step: Step; readonly ends: 'no' | 'commit' | 'rollback' };

export interface Plan {
  /** `all` tables, those of some `schemas`, or the ones of a `list`. */
  readonly publication: 'all' | 'schemas' | 'list';
  /** Of a hundred steps, about so many change the schema. */
  readonly ddlShare: number;
  /** Wal2dolt has each transaction before the next one begins. */
  readonly lockstep: boolean;
  /** The tables that there are at first. */
  readonly tables: readonly number[];
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

const seed = fc.nat(0x7fffffff);

const step: fc.Arbitrary<Step> = fc.record({
  seed,
  savepoint: fc.oneof(
    { weight: 8, arbitrary: fc.constant('none' as const) },
    { weight: 1, arbitrary: fc.constant('released' as const) },
    { weight: 1, arbitrary: fc.constant('rolledBack' as const) },
  ),
});

const transaction: fc.Arbitrary<Transaction> = fc.record({
  seed,
  steps: fc.array(step, { minLength: 1, maxLength: 6, size: 'max' }),
  commits: fc.oneof({ weight: 12, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
});

const policy: fc.Arbitrary<Policy> = fc.record({
  maxTransactions: fc.constantFrom(1, 2, 5, 1_000, 1_000),
  maxDelay: fc.constantFrom(1, 20, 300, 1_000),
  maxRows: fc.constantFrom(1, 500, 50_000, 50_000),
  maxBytes: fc.constantFrom('1kB', '50kB', '500kB', '16MB'),
});

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('nothing' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('catchesUp' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('restart' as const), gap: fc.nat(3), policy }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('sourceBreaks' as const, 'targetBreaks' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('bare' as const, 'resync' as const), seed }) },
  {
    weight: 5,
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
  // Biased, the first plan of a seed would nearly always have the first or last choice of a few.
  fc
    .noBias(
      fc.record({
        publication: fc.constantFrom('all' as const, 'all' as const, 'schemas' as const, 'list' as const),
        ddlShare: fc.constantFrom(20, 40, 40, 70),
        lockstep: fc.oneof({ weight: 2, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
        tables: list(seed, 7),
        before: list(transaction, Math.ceil(size * 0.2)),
        during: list(transaction, Math.ceil(size * 0.1)),
        after: list(fc.record({ transaction, next: happening }), Math.ceil(size * 0.6)),
        between: list(transaction, Math.ceil(size * 0.05)),
        last: list(transaction, Math.ceil(size * 0.05)),
        interruptAt: fc.oneof(fc.constant(null), fc.integer({ min: 1, max: 6 })),
        policy,
      }),
    )
    // Nothing is gained where each transaction is waited for.
    .map((plan) =>
      plan.lockstep ? { ...plan, policy: { ...plan.policy, maxDelay: Math.min(plan.policy.maxDelay, 20) } } : plan,
    );
