import { describe, expect, it } from 'vitest';
import { Wal2DoltError } from '../errors.js';
import { asTargetError } from './failure.js';

const failure = (message: string, rest: { readonly code?: string; readonly errno?: number } = {}): Error =>
  Object.assign(new Error(message), rest);
const generic = (message: string): Error => failure(message, { code: 'ER_UNKNOWN_ERROR', errno: 1105 });

describe('a failure', () => {
  // As Dolt 2.2 and mysql2 were seen to say it.
  it.each<[Error, string]>([
    [
      failure(
        'serialization failure: this transaction conflicts with a committed transaction from another client, try restarting transaction.',
        { errno: 1213 },
      ),
      'E_TARGET_CONFLICT',
    ],
    [
      generic(
        'Committing this transaction resulted in a working set with constraint violations, transaction rolled back. ',
      ),
      'E_TARGET_CONFLICT',
    ],
    [
      generic('local changes would be stomped by merge:\n\tt1\n Please commit your changes before you merge.'),
      'E_TARGET_DIRTY',
    ],
    [
      generic('error: local changes would be stomped by merge:\n\tt1\n Please commit your changes before you merge.'),
      'E_TARGET_DIRTY',
    ],
    [generic("root hash doesn't exist: 3dg7q2q29ba2ibi8bu3pg7lalv3no28j"), 'E_TARGET_UNREACHABLE'],
    [generic('fatal: Not possible to fast-forward, aborting'), 'E_TARGET_DIVERGED'],
    [generic('cannot fast forward from a to b. a is ahead of b already'), 'E_TARGET_DIVERGED'],
    [failure('duplicate primary key given: [1]', { errno: 1062 }), 'E_TARGET_DIVERGED'],
    [failure('duplicate unique key given: [a]', { errno: 1062 }), 'E_SCHEMA_CHANGED'],
    [generic("command denied to user 'reader'@'%'"), 'E_TARGET_PRIVILEGE'],
    [failure("Access denied for user 'reader'@'%' to database 'shop'", { errno: 1044 }), 'E_TARGET_PRIVILEGE'],
    [generic('`reader`@`%` does not have the correct permissions on branch `main`'), 'E_TARGET_PRIVILEGE'],
    [generic('`reader`@`%` cannot create a branch named `wal2dolt`'), 'E_TARGET_PRIVILEGE'],
    [generic('`reader`@`%` cannot delete the branch `wal2dolt_squash`'), 'E_TARGET_PRIVILEGE'],
    [failure("Access denied for user 'root'", { code: 'ER_ACCESS_DENIED_ERROR', errno: 1045 }), 'E_TARGET_AUTH'],
    [failure('database not found: shop/main', { code: 'ER_BAD_DB_ERROR', errno: 1049 }), 'E_TARGET_DATABASE'],
    [failure('connect ECONNREFUSED 127.0.0.1:3306', { code: 'ECONNREFUSED' }), 'E_TARGET_UNREACHABLE'],
    [failure('getaddrinfo ENOTFOUND nowhere', { code: 'ENOTFOUND' }), 'E_TARGET_UNREACHABLE'],
    [failure('read ECONNRESET', { code: 'ECONNRESET' }), 'E_TARGET_UNREACHABLE'],
    [failure('connect ETIMEDOUT', { code: 'ETIMEDOUT' }), 'E_TARGET_UNREACHABLE'],
    [
      failure('Connection lost: The server closed the connection.', { code: 'PROTOCOL_CONNECTION_LOST' }),
      'E_TARGET_UNREACHABLE',
    ],
    [failure("Can't add new command when connection is in closed state"), 'E_TARGET_UNREACHABLE'],
    [failure('This socket has been ended by the other party', { code: 'EPIPE' }), 'E_TARGET_UNREACHABLE'],
    [generic('server is currently shutting down'), 'E_TARGET_UNREACHABLE'],
    [
      generic(
        'unknown error: Code: UNAVAILABLE\nserver does not allow insecure connections, client must use SSL/TLS\n',
      ),
      'E_TARGET_TLS',
    ],
    [failure('Server does not support secure connection', { code: 'HANDSHAKE_NO_SSL_SUPPORT' }), 'E_TARGET_TLS'],
    [failure('certificate has expired', { code: 'HANDSHAKE_SSL_ERROR' }), 'E_TARGET_TLS'],
    [failure('read ECONNRESET', { code: 'HANDSHAKE_SSL_ERROR' }), 'E_TARGET_UNREACHABLE'],
    [
      failure('Client network socket disconnected before secure TLS connection was established', {
        code: 'HANDSHAKE_SSL_ERROR',
      }),
      'E_TARGET_UNREACHABLE',
    ],
    [generic('unknown column "a"'), 'E_TARGET_QUERY'],
    [failure('table not found: t', { errno: 1146 }), 'E_TARGET_QUERY'],
    [failure('', {}), 'E_TARGET_QUERY'],
  ])('%s is %s', (error, code) => {
    expect(asTargetError(error).code).toBe(code);
  });

  it('on every address of a host has no message of its own', () => {
    const error = Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' });
    expect(asTargetError(error)).toMatchObject({ code: 'E_TARGET_UNREACHABLE', message: 'Dolt: ECONNREFUSED' });
  });

  it.each<[string, string]>([
    ['read ECONNRESET', 'ECONNRESET'],
    ['Connection lost: The server closed the connection.', 'PROTOCOL_CONNECTION_LOST'],
    ['This socket has been ended by the other party', 'EPIPE'],
    ['read ETIMEDOUT', 'ETIMEDOUT'],
  ])('of the connection (%s) while a statement runs is told from one at any other time', (message, code) => {
    const error = failure(message, { code });
    expect(asTargetError(error).code).toBe('E_TARGET_UNREACHABLE');
    expect(asTargetError(error, ['DELETE FROM `t` WHERE 1'])).toMatchObject({
      code: 'E_TARGET_LOST',
      message: 'Dolt: the connection was lost (in: DELETE FROM `t`)',
      cause: error,
    });
  });

  it('of a statement that was not sent is none of that statement', () => {
    const closed = failure("Can't add new command when connection is in closed state");
    const queued = failure('Cannot enqueue', { code: 'PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR' });
    for (const error of [closed, queued]) expect(asTargetError(error, ['SELECT 1']).code).toBe('E_TARGET_UNREACHABLE');
  });

  it('that was told before stays what it is', () => {
    const error = new Wal2DoltError('E_VALUE', 'x');
    expect(asTargetError(error, ['SELECT 1'])).toBe(error);
  });

  it('keeps its cause, and may be no error at all', () => {
    const cause = generic('x');
    expect(asTargetError(cause).cause).toBe(cause);
    expect(asTargetError('thrown text')).toMatchObject({ code: 'E_TARGET_QUERY', message: 'Dolt: thrown text' });
  });
});

describe('the statement', () => {
  const messageFor = (statement: string): string => asTargetError(generic('no'), [statement]).message;

  it.each([
    ["INSERT INTO `people` (`id`,`password`) VALUES (1,'s3cret')", 'INSERT INTO `people` (`id`,`password`)'],
    ["UPDATE `people` SET `password`='s3cret' WHERE `id`=1", 'UPDATE `people`'],
    ["DELETE FROM `people` WHERE `password` <=> 's3cret'", 'DELETE FROM `people`'],
    ['CALL DOLT_RESET(1)', 'CALL DOLT_RESET(1)'],
    ["CALL DOLT_COMMIT('-A', '-m', 'its message', '--date', '2026')", "CALL DOLT_COMMIT('-A', '-m',"],
    ["CREATE TABLE t (a TEXT DEFAULT 's3cret')", 'CREATE TABLE t (a TEXT DEFAULT'],
  ])('%s is named without its values', (statement, beginning) => {
    expect(messageFor(statement)).toBe(`Dolt: no (in: ${beginning})`);
  });

  it('is the first of those that were not answered, and any of them where the connection was lost', () => {
    const sent = [
      'START TRANSACTION',
      "INSERT INTO `people` VALUES ('s3cret')",
      "UPDATE `people` SET `password`='s3cret'",
    ];
    const message = (thrown: Error, unanswered: string[]): string => asTargetError(thrown, unanswered).message;
    expect(message(generic('no'), sent.slice(1))).toBe('Dolt: no (in: INSERT INTO `people`)');
    const lost = Object.assign(new Error('lost'), { code: 'PROTOCOL_CONNECTION_LOST' });
    const wasLost = 'Dolt: the connection was lost';
    expect(message(lost, sent)).toBe(`${wasLost} (in: INSERT INTO \`people\`; UPDATE \`people\`)`);
    expect(message(lost, sent.slice(0, 2))).toBe(`${wasLost} (in: INSERT INTO \`people\`)`);
    expect(message(lost, sent.slice(0, 1))).toBe(`${wasLost} (in: START TRANSACTION)`);
    const many = Array.from({ length: 100 }, (_, i) => `INSERT INTO \`t${i}\` VALUES (1)`);
    expect(message(lost, many).length).toBeLessThan(400);
  });

  it('and the message are cut where they are long', () => {
    expect(messageFor(`CREATE TABLE t (${'x'.repeat(1_000)})`).length).toBeLessThan(120);
    expect(asTargetError(generic(`string '${'x'.repeat(10_000)}' is too large`)).message.length).toBeLessThan(320);
  });
});
