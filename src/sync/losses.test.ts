import { expect, it } from 'vitest';
import { asTargetError } from '../dolt/failure.js';
import { type ErrorCode, Wal2DoltError } from '../errors.js';
import { Losses } from './losses.js';

const lost = (statement: string): Wal2DoltError =>
  asTargetError(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }), [statement]);
const away = new Wal2DoltError('E_TARGET_UNREACHABLE', 'Dolt: connect ECONNREFUSED');

type Event = Wal2DoltError | string | null;

/** What each of these failures becomes; a string is the head that an attempt begins at, null is progress. */
function codes(events: readonly Event[]): ErrorCode[] {
  const losses = new Losses();
  return events.flatMap((event) => {
    if (event instanceof Wal2DoltError) return losses.judge(event).code;
    if (event === null) losses.clear();
    else losses.begin(event);
    return [];
  });
}

const [insert, other, commit] = [
  lost("INSERT INTO `t` (`id`) VALUES (1,'a')"),
  lost('INSERT INTO `u` (`id`) VALUES (1)'),
  lost("CALL DOLT_COMMIT('-A', '-m', '3 transactions')"),
];
const repeat = <T extends Event>(times: number, ...events: readonly T[]): T[] =>
  Array.from({ length: times }, () => events).flat();

it('the fifth loss of a statement halts', () => {
  expect(codes(repeat<Event>(4, 'head', insert))).not.toContain('E_TARGET_CRASHES');
  expect(codes(repeat<Event>(5, 'head', insert))).toEqual([...repeat(4, 'E_TARGET_LOST'), 'E_TARGET_CRASHES']);
});

it('whatever its values are', () => {
  const inserts = [1, 2, 3, 4, 5].map((id) => lost(`INSERT INTO \`t\` (\`id\`) VALUES (${id})`));
  expect(codes(inserts).at(-1)).toBe('E_TARGET_CRASHES');
  const commits = [1, 2, 3, 4, 5].map((n) => lost(`CALL DOLT_COMMIT('-A', '-m', '${n} transactions')`));
  expect(codes(commits).at(-1)).toBe('E_TARGET_CRASHES');
});

it('a Dolt that is away in between changes nothing, and alone never halts', () => {
  expect(codes(repeat<Event>(4, 'head', insert, away, away))).not.toContain('E_TARGET_CRASHES');
  expect(codes([...repeat<Event>(4, 'head', insert, away, away), 'head', insert]).at(-1)).toBe('E_TARGET_CRASHES');
  expect(codes(repeat(1_000, away))).not.toContain('E_TARGET_CRASHES');
});

it('progress in between begins anew: published, or found at the next attempt', () => {
  expect(codes(repeat<Event>(100, 'head', null, insert, 'head', insert, insert, insert))).not.toContain(
    'E_TARGET_CRASHES',
  );
  const heads = Array.from({ length: 100 }, (_, i) => [`head ${i}`, commit, insert]).flat();
  expect(codes(heads)).not.toContain('E_TARGET_CRASHES');
});

it('different statements count apart, as two connections may fail in either', () => {
  expect(codes(repeat(4, insert, other, commit))).not.toContain('E_TARGET_CRASHES');
  expect(codes([...repeat(4, insert, other), insert]).at(-1)).toBe('E_TARGET_CRASHES');
});

it('other failures never count', () => {
  const halting = new Wal2DoltError('E_VALUE', 'x');
  const losses = new Losses();
  for (let i = 0; i < 10; i += 1) expect(losses.judge(halting)).toBe(halting);
});

it('the message says where, how often and after which commit', () => {
  const losses = new Losses();
  losses.begin('abc');
  const last = repeat(5, insert)
    .map((error) => losses.judge(error))
    .at(-1);
  expect(last?.message).toBe(
    'Dolt: the connection was lost (in: INSERT INTO `t` (`id`)), 5 times with nothing saved in between after the commit abc',
  );
  expect(last?.cause).toBe(insert);
});

it('a loss counts until something is achieved', () => {
  const losses = new Losses();
  losses.begin('head');
  losses.judge(away);
  expect(losses.since).toBe(false);
  losses.judge(insert as Wal2DoltError);
  losses.begin('another head');
  expect(losses.since).toBe(true);
  losses.clear();
  expect(losses.since).toBe(false);
});
