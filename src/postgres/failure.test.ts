import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { Wal2DoltError } from '../errors.js';
import { asSourceError } from './failure.js';

/** As the driver builds it from an ErrorResponse. */
function serverError(
  code: string,
  message: string,
  fields: { routine?: string; detail?: string; hint?: string } = {},
): Error {
  return Object.assign(new pg.DatabaseError(message, 0, 'error'), { severity: 'ERROR', code, ...fields });
}

const systemError = (code: string, message = `connect ${code}`): Error => Object.assign(new Error(message), { code });

describe('asSourceError', () => {
  it.each([
    ['E_SOURCE_AUTH', serverError('28P01', 'password authentication failed for user "u"')],
    ['E_SOURCE_AUTH', serverError('28000', 'no pg_hba.conf entry for replication connection')],
    ['E_SOURCE_AUTH', new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string')],
    ['E_SOURCE_DATABASE', serverError('3D000', 'database "nope" does not exist')],
    ['E_SOURCE_PRIVILEGE', serverError('42501', 'must be superuser or replication role to use replication slots')],
    [
      'E_SLOT_IN_USE',
      serverError('55006', 'replication slot "s" is active for PID 7', { routine: 'ReplicationSlotAcquire' }),
    ],
    ['E_SOURCE_QUERY', serverError('55006', 'database "x" is being accessed by other users', { routine: 'dropdb' })],
    [
      'E_SLOT_MISSING',
      serverError('42704', 'replication slot "s" does not exist', { routine: 'ReplicationSlotAcquire' }),
    ],
    [
      'E_SLOT_MISSING',
      serverError('42704', 'Replikations-Slot »s« existiert nicht', { routine: 'ReplicationSlotAcquire' }),
    ],
    ['E_SLOT_MISSING', serverError('42704', 'replication slot "publication" does not exist')],
    [
      'E_PUBLICATION_MISSING',
      serverError('42704', 'publication "p" does not exist', { routine: 'get_publication_oid' }),
    ],
    [
      'E_PUBLICATION_MISSING',
      serverError('42704', 'publication "replication slot" does not exist', { routine: 'get_publication_oid' }),
    ],
    ['E_SOURCE_QUERY', serverError('42704', 'role "r" does not exist', { routine: 'get_role_oid' })],
    [
      'E_SLOT_LOST',
      serverError('55000', 'cannot read from logical replication slot "s"', {
        routine: 'CreateDecodingContext',
        detail: 'This slot has been invalidated because it exceeded the maximum reserved size.',
      }),
    ],
    [
      'E_SLOT_LOST',
      serverError('55000', 'can no longer access replication slot "s"', { routine: 'ReplicationSlotAcquire' }),
    ],
    ['E_SLOT_LOST', serverError('55000', 'kann nicht mehr zugreifen', { routine: 'ReplicationSlotAcquire' })],
    ['E_SLOT_LOST', serverError('58P01', 'requested WAL segment 000000010000000000000001 has already been removed')],
    ['E_SLOT_INVALID', serverError('55000', 'replication slot "s" was not created in this database')],
    ['E_SLOT_INVALID', serverError('22023', 'option "proto_version" = "1" is unknown')],
    ['E_SOURCE_QUERY', serverError('55000', 'logical decoding requires wal_level >= logical')],
    ['E_SOURCE_QUERY', serverError('53400', 'all replication slots are in use')],
    ['E_SOURCE_QUERY', serverError('42P01', 'relation "x" does not exist')],
    ['E_TABLE_REWRITTEN', serverError('XX000', 'could not open relation with OID 16483')],
    ['E_TABLE_REWRITTEN', serverError('XX000', 'cache lookup failed for attribute 1 of relation 17462')],
    ['E_SOURCE_QUERY', serverError('XX000', 'unexpected')],
    ['E_STREAM_ENDED', serverError('XX000', 'requested WAL segment 000000010000000000000013 has already been removed')],
    ['E_SLOT_LOST', serverError('58P01', 'requested WAL segment 000000010000000000000013 has already been removed')],
    ['E_TABLE_REWRITTEN', serverError('40P01', 'deadlock detected')],
    ['E_SOURCE_UNREACHABLE', serverError('57P01', 'terminating connection due to administrator command')],
    ['E_SOURCE_UNREACHABLE', serverError('57P03', 'the database system is starting up')],
    ['E_SOURCE_UNREACHABLE', serverError('53300', 'sorry, too many clients already')],
    ['E_SOURCE_UNREACHABLE', serverError('08006', 'connection failure')],
    ['E_SOURCE_UNREACHABLE', systemError('ECONNREFUSED')],
    ['E_SOURCE_UNREACHABLE', systemError('EPIPE')],
    ['E_SOURCE_UNREACHABLE', systemError('ENOTFOUND', 'getaddrinfo ENOTFOUND host')],
    ['E_SOURCE_UNREACHABLE', new AggregateError([systemError('ECONNREFUSED')])],
    ['E_SOURCE_UNREACHABLE', new Error('Connection terminated unexpectedly')],
    ['E_SOURCE_UNREACHABLE', new Error('timeout expired')],
    ['E_SOURCE_TLS', new Error('The server does not support SSL connections')],
    ['E_SOURCE_TLS', systemError('SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate in certificate chain')],
    ['E_SOURCE_TLS', systemError('ERR_TLS_CERT_ALTNAME_INVALID')],
    ['E_INTERNAL', new TypeError('Cannot read properties of undefined')],
  ])('gives %s for %s', (code, error) => {
    const failure = asSourceError(error);
    expect(failure.code).toBe(code);
    expect(failure.cause).toBe(error);
  });

  it('says what the server said, with its detail, hint and SQLSTATE', () => {
    const error = serverError('42P01', 'no such table', { detail: 'It was dropped.', hint: 'Create it.' });
    expect(asSourceError(error).message).toBe('no such table. It was dropped. Create it. [42P01]');
  });

  it('says something even where the driver says nothing', () => {
    expect(asSourceError(new AggregateError([systemError('ECONNREFUSED', '')])).message).toBe(
      'the connection failed [ECONNREFUSED]',
    );
  });

  it('leaves its own errors as they are', () => {
    const error = new Wal2DoltError('E_SLOT_LOST', 'x');
    expect(asSourceError(error)).toBe(error);
  });
});
