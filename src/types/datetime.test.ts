import { expect, test } from 'vitest';
import { date, time, timestamp, timestamptz } from './datetime.js';

test.each([
  [date, '2024-02-29', "'2024-02-29'"],
  [date, '10000-01-01', "'9999-12-31'"],
  [date, '0044-03-15 BC', "'0001-01-01'"],
  [date, '-infinity', "'0001-01-01'"],
  [date, 'infinity', "'9999-12-31'"],
  [timestamp, '2024-02-29 10:20:30.5', "'2024-02-29 10:20:30.5'"],
  [timestamp, '294276-12-31 23:59:59.999999', "'9999-12-31 23:59:59.999999'"],
  [timestamptz, '2024-02-29 10:20:30+00', "'2024-02-29 10:20:30'"],
  [timestamptz, '0001-01-01 00:00:00+00 BC', "'0001-01-01 00:00:00'"],
  [time, '24:00:00', "cast('24:00:00' as time(6))"],
])('$sql: %s is written %s', ({ literal }, text, written) => {
  expect(literal(text)).toBe(written);
});

test.each([
  [date, '2024-02-29', '2024-02-29'],
  [timestamp, '2024-02-29 10:20:30', '2024-02-29 10:20:30.000000'],
  [timestamp, '2024-02-29 10:20:00.12', '2024-02-29 10:20:00.120000'],
  [timestamptz, '2024-02-29 10:20:00+00', '2024-02-29 10:20:00.000000'],
  [time, '10:20:00', '10:20:00.000000'],
  [time, '00:00:00.000001', '00:00:00.000001'],
])('$sql: %s comes back from %s', ({ restore }, text, value) => {
  expect(restore(value)).toBe(text);
});

test.each([
  [
    date,
    [
      '',
      '2024-2-1',
      '2024-01-01 10:00:00',
      '20240101',
      '12024-01-01 AD',
      'Infinity BC',
      "2024-01-01'",
      '01/02/2024',
      'now',
      '2024-01-01 10:00:00+02',
      'Infinity',
    ],
  ],
  [
    timestamp,
    [
      '',
      '2024-01-01',
      '12024-01-01',
      '12024-01-01 10:00:00+00',
      '0001-01-01 BC',
      '2024-01-01T10:00:00',
      '2024-01-01 10:00:00+02',
    ],
  ],
  [timestamptz, ['2024-01-01 10:00:00', '12024-01-01 10:00:00', '0001-01-01 10:00:00 BC', '2024-01-01 10:00:00+02']],
  [time, ['', '10:00', '10:00:00+02', "10:00:00'"]],
])('$sql refuses what a session with other settings would print', ({ literal, sql }, texts) => {
  for (const text of texts)
    expect(() => literal(text), `${sql} ${text}`).toThrow(expect.objectContaining({ code: 'E_VALUE' }));
});
