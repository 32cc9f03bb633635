import { describe, expect, it } from 'vitest';
import { Wal2DoltError } from '../errors.js';
import { createLogger, type LogStyle, logStyle, reportError } from './logging.js';

const JSON_LINES: LogStyle = { level: 'info', format: 'json', color: false };
const PRETTY: LogStyle = { level: 'info', format: 'pretty', color: false };

function collect(): { write: (text: string) => void; text: () => string; lines: () => Record<string, unknown>[] } {
  let text = '';
  return {
    write: (more) => {
      text += more;
    },
    text: () => text,
    lines: () =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
  };
}

describe('the style', () => {
  const config = { logLevel: 'info', logFormat: 'auto' } as const;

  it('is for people on a terminal, for machines elsewhere', () => {
    expect(logStyle(config, { isTTY: true }, {})).toEqual({ level: 'info', format: 'pretty', color: true });
    expect(logStyle(config, {}, {})).toEqual({ level: 'info', format: 'json', color: false });
  });

  it('is what was asked for', () => {
    expect(logStyle({ ...config, logFormat: 'json' }, { isTTY: true }, {}).format).toBe('json');
    expect(logStyle({ ...config, logFormat: 'pretty' }, {}, {})).toMatchObject({ format: 'pretty', color: false });
    expect(logStyle(config, { isTTY: true }, { NO_COLOR: '1' }).color).toBe(false);
  });
});

describe('the logger', () => {
  it('writes an object a line, at once', () => {
    const out = collect();
    const logger = createLogger(JSON_LINES, out.write);
    logger.info({ table: 'orders', rows: 3, end: 12n }, 'copied table');
    logger.debug('not shown');
    expect(out.lines()).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        table: 'orders',
        rows: 3,
        end: 12,
        msg: 'copied table',
      },
    ]);
  });

  it('writes a readable line for people', () => {
    const out = collect();
    const logger = createLogger(PRETTY, out.write);
    logger.warn({ rows: 3, table: 'orders', note: 'a b', list: [1, 'x'] }, 'slow commit');
    logger.info('plain');
    logger.error({ err: new Wal2DoltError('E_TARGET_QUERY', 'refused', { cause: new Error('why') }) }, 'failed');
    expect(
      out
        .text()
        .replace(/^\[\d\d:\d\d:\d\d\.\d{3}\] /gm, '')
        .split('\n'),
    ).toEqual([
      'WARN: slow commit  rows=3 table=orders note="a b" list=[1,"x"]',
      'INFO: plain',
      'ERROR: failed  (E_TARGET_QUERY: refused) (why)',
      '',
    ]);
  });

  it.each([JSON_LINES, PRETTY])('hides passwords: $format', (style) => {
    const out = collect();
    const logger = createLogger(style, out.write);
    logger.info({ url: 'postgres://ann:s3c"r\\et@db/shop', password: 's3cret', pool: { password: 's3cret' } }, 'a');
    logger.info('connecting to mysql://ann:s3c@ret@db/shop?ssl=true');
    logger.error({ err: new Error('cannot reach mysql://ann:s3cret@db/shop?password=s3cret&x=1') }, 'b');
    expect(out.text()).not.toMatch(/s3c|ret@/);
    expect(out.text()).toContain('mysql://ann:***@db/shop?ssl=true');
    if (style.format === 'json') expect(out.lines()).toHaveLength(3);
  });

  it('leaves out what the errors of drivers carry along', () => {
    const driver = Object.assign(new Error('duplicate key'), { code: '23505', sql: 'INSERT secret row' });
    const error = new Wal2DoltError('E_TARGET_QUERY', 'refused', { cause: driver });
    const out = collect();
    createLogger(JSON_LINES, out.write).error({ err: error }, 'failed');
    expect(out.lines()[0]?.err).toEqual({
      code: 'E_TARGET_QUERY',
      message: 'refused',
      cause: { code: '23505', message: 'duplicate key' },
    });
  });

  it('adds stack traces when debugging', () => {
    const out = collect();
    createLogger({ ...JSON_LINES, level: 'debug' }, out.write).error({ err: new Error('x') }, 'failed');
    expect(out.lines()[0]).toHaveProperty('err.stack');
  });
});

describe('the last word of a command that failed', () => {
  const error = new Wal2DoltError('E_SLOT_TIMEOUT', 'waited 60 s for the slot', { cause: new Error('lock timeout') });

  it('is what happened and what to do, for people', () => {
    const out = collect();
    reportError(error, PRETTY, out.write);
    expect(out.text()).toBe(`error E_SLOT_TIMEOUT: waited 60 s for the slot\n${error.policy.remedy}\n`);
  });

  it('is one line for machines', () => {
    const out = collect();
    reportError(error, JSON_LINES, out.write);
    expect(out.lines()).toEqual([
      expect.objectContaining({
        level: 'error',
        code: 'E_SLOT_TIMEOUT',
        action: 'halt',
        remedy: error.policy.remedy,
        msg: 'waited 60 s for the slot',
      }),
    ]);
  });

  it('has the stacks of all causes when debugging', () => {
    const out = collect();
    reportError(error, { ...PRETTY, level: 'debug' }, out.write);
    expect(out.text()).toContain('Error: lock timeout\n    at ');
  });

  it('is a defect where nobody knows the error', () => {
    const out = collect();
    reportError(new TypeError('x is not a function'), PRETTY, out.write);
    expect(out.text()).toMatch(/^error E_INTERNAL: x is not a function\n/);
  });
});
