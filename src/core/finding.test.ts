import { describe, expect, it } from 'vitest';
import { formatFindings } from './finding.js';

describe('findings as text', () => {
  it('are grouped, the worst first, each with its fix', () => {
    const text = formatFindings([
      { severity: 'info', code: 'sequence', message: 'Sequences are not replicated.' },
      {
        severity: 'error',
        code: 'wal_level',
        message: 'wal_level is replica.',
        fix: 'ALTER SYSTEM SET x;\n-- restart\n',
      },
      { severity: 'error', code: 'key', message: 'No key.' },
    ]);
    expect(text).toBe(
      [
        'Errors: wal2dolt does not start before they are gone:',
        '  [wal_level] wal_level is replica.',
        '      ALTER SYSTEM SET x;',
        '      -- restart',
        '  [key] No key.',
        '',
        'Good to know:',
        '  [sequence] Sequences are not replicated.',
      ].join('\n'),
    );
  });

  it('are nothing when there are none', () => {
    expect(formatFindings([])).toBe('');
  });
});
