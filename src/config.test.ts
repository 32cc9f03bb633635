import { describe, expect, it } from 'vitest';
import { load, loadOptions, loadYaml, problemsOf, URLS } from '../test/support/config.js';
import { FIELDS } from './config.js';

describe('defaults', () => {
  it('are what the docs promise, as numbers', async () => {
    expect(await load({})).toMatchObject({
      slot: 'wal2dolt',
      slotTimeout: 60_000,
      commit: { maxTransactions: 100_000, maxDelay: 1000, maxRows: 500_000, maxBytes: 32 * 1024 * 1024 },
      retry: { maxDelay: 30_000, giveUpAfter: 0 },
      snapshot: 'initial',
      foreignKeys: false,
    });
  });

  it('can be written down as they are shown, and every example is accepted', async () => {
    const plain = await load({});
    for (const field of FIELDS) {
      const shown = await loadYaml(`${field.path}: ${field.example}`).catch((error: unknown) => error);
      expect(shown, `the example of ${field.path}`).not.toBeInstanceOf(Error);
      if (field.default === undefined || field.default === field.defaultHelp) continue;
      expect(await load({ env: { [field.variable]: field.default } }), field.path).toEqual(plain);
    }
  });
});

describe('names', () => {
  it('are mechanical', () => {
    const field = FIELDS.find(({ path }) => path === 'commit.maxDelay');
    expect(field).toMatchObject({ flag: '--commit-max-delay', variable: 'WAL2DOLT_COMMIT_MAX_DELAY', default: '1s' });
  });

  it('differ in all three forms', () => {
    expect(new Set(FIELDS.map(({ flag }) => flag)).size).toBe(FIELDS.length);
    expect(new Set(FIELDS.map(({ variable }) => variable)).size).toBe(FIELDS.length);
  });
});

describe('precedence', () => {
  const sources = {
    files: { 'wal2dolt.yaml': 'slot: from_file\npublication: from_file\ncommit: {maxRows: 1, maxDelay: 2s}' },
    env: { WAL2DOLT_SLOT: 'from_env', WAL2DOLT_COMMIT_MAX_ROWS: '2', WAL2DOLT_PUBLICATION: '' },
  };

  it('is flag, environment, file, default', async () => {
    expect(await load({ ...sources, argvOptions: { ...URLS, commitMaxRows: '3' } })).toMatchObject({
      slot: 'from_env',
      publication: 'from_file',
      commit: { maxRows: 3, maxDelay: 2000, maxTransactions: 100_000 },
    });
  });

  it('does not look at a value that is replaced', async () => {
    expect(await load({ files: { 'wal2dolt.yaml': 'slot: No Good' }, env: { WAL2DOLT_SLOT: 'good' } })).toMatchObject({
      slot: 'good',
    });
  });
});

describe('the file', () => {
  it('may have another name, by flag or variable', async () => {
    const files = { 'a.yaml': 'slot: a', 'b.yaml': 'slot: b' };
    expect((await load({ files, env: { WAL2DOLT_CONFIG: 'b.yaml' } })).slot).toBe('b');
    expect(
      (await load({ files, env: { WAL2DOLT_CONFIG: 'b.yaml' }, argvOptions: { ...URLS, config: 'a.yaml' } })).slot,
    ).toBe('a');
  });

  it('has to exist when it is named', async () => {
    expect(await problemsOf(loadOptions({ config: 'x.yaml' }))).toBe('x.yaml: no such file');
  });

  it('is the one problem where it can not be read, whatever it may have said of source and target', async () => {
    const read = (yaml: string): Promise<string> =>
      problemsOf(load({ argvOptions: {}, files: { 'wal2dolt.yaml': yaml } }));
    expect(await read('source: [')).toMatch(/^wal2dolt.yaml line \d: [^\n]*$/);
    expect(await problemsOf(load({ argvOptions: { config: 'x.yaml' } }))).toBe('x.yaml: no such file');
    expect(await problemsOf(load({ argvOptions: { config: 'x.yaml', slot: 'No' } }))).toMatch(/no such file\n.*slot/);
    expect(await read('slot: a')).toMatch(/source is required[^\n]*\n.*target is required/);
  });

  it('may be empty', async () => {
    expect((await loadYaml('# nothing\n')).slot).toBe('wal2dolt');
  });

  it('tells where it is wrong', async () => {
    const problems = await problemsOf(
      loadYaml('slot: x\ncommit:\n  maxRow: 4\n  maxBytes: lots\nretry: 5\nslto: a\npublication:\n'),
    );
    expect(problems).toContain('commit.maxRow (wal2dolt.yaml line 3): unknown key; did you mean maxRows?');
    expect(problems).toContain('commit.maxBytes (wal2dolt.yaml line 4): expected a size such as 512kB');
    expect(problems).toContain('retry (wal2dolt.yaml line 5): expected a map with firstDelay, maxDelay, giveUpAfter');
    expect(problems).toContain('slto (wal2dolt.yaml line 6): unknown key; did you mean slot?');
    expect(problems).toContain('publication (wal2dolt.yaml line 7): is empty');
  });

  it.each([
    ['tables: [public.*, !public.audit_*]', /line 1: Unresolved tag.*needs quotes/],
    ['tables: [*.orders]', /wal2dolt.yaml: Unresolved alias.*needs quotes/],
    ['slot: a\nslot: b', /line 2: this key is there already$/],
    [
      'commit: {maxDelay: 1s}\ncommit.maxDelay: 2s',
      /commit.maxDelay \(.* line 2\): this key is there already \(.* line 1\)$/,
    ],
    ['slot: a\n---\nslot: b', /line 2: a second document begins, but only one is read$/],
    ['- slot', /wal2dolt.yaml: expected a map with source, target/],
    ['commit: {x: {y: 1}}', /commit.x .*unknown key; accepted here: maxTransactions, maxDelay, maxRows, maxBytes/],
  ])('is refused: %s', async (yaml, problem) => {
    expect(await problemsOf(loadYaml(yaml))).toMatch(problem);
  });
});

describe('what is refused', () => {
  it('is told all at once', async () => {
    const problems = await problemsOf(
      load({
        argvOptions: { commitMaxRows: '0', targetBranch: 'same', stagingBranch: 'same' },
        argvUnknown: ['--slto', 'x', '--foo=bar'],
        env: { WAL2DOLT_SLOTT: 'x', WAL2DOLT_SNAPSHOT: 'maybe' },
        files: { 'wal2dolt.yaml': 'unknown: 1' },
      }),
    );
    expect(problems.split('\n  ')).toEqual([
      '9 problems in the configuration',
      expect.stringMatching(/^unknown \(wal2dolt.yaml line 1\): unknown key; accepted here: source, target, slot/),
      'WAL2DOLT_SLOTT: unknown variable; did you mean WAL2DOLT_SLOT?',
      '--slto: unknown option; did you mean --slot?',
      '--foo: unknown option',
      expect.stringMatching(
        /^source is required: postgres:.*; give --source, WAL2DOLT_SOURCE, or source: in wal2dolt.yaml$/,
      ),
      expect.stringMatching(/^target is required: mysql:/),
      'snapshot (WAL2DOLT_SNAPSHOT): expected initial, never or only, got "maybe"',
      'commit.maxRows (--commit-max-rows): expected a whole number, at least 1, got "0"',
      'stagingBranch (--staging-branch): must be another branch than targetBranch',
    ]);
  });

  it('is a word that nothing takes', async () => {
    expect(await problemsOf(load({ argvUnknown: ['orders'] }))).toBe('unexpected argument "orders"');
  });

  it('is not what Kubernetes sets beside a service of our name', async () => {
    const env = {
      WAL2DOLT_SERVICE_HOST: '10.0.0.1',
      WAL2DOLT_SERVICE_PORT_HTTP: '1',
      WAL2DOLT_PORT: 'tcp://x:1',
      WAL2DOLT_PORT_80_TCP_ADDR: 'x',
    };
    expect((await load({ env })).slot).toBe('wal2dolt');
  });

  it.each([
    ['slot', 'Upper'],
    ['slot', ''],
    ['slot', 'a'.repeat(64)],
    ['slotTimeout', '5 weeks'],
    ['slotTimeout', '-1s'],
    ['slotTimeout', '25h5'],
    ['commitMaxDelay', '597h'],
    ['commitMaxBytes', '0'],
    ['commitMaxBytes', '5 constructor'],
    ['commitMaxRows', '1.5'],
    ['copyConnections', '65'],
    ['until', '0/G'],
    ['until', 'now'],
    ['targetBranch', 'a..b'],
    ['stagingBranch', 'a/b'],
    ['tableName', '{schema}'],
    ['tableName', '{table}{name}'],
    ['contextAuthor', 'Ann'],
    ['logLevel', 'loud'],
    ['foreignKeys', 'yes'],
    ['types', '{numeric: "DOUBLE; DROP TABLE x"}'],
    ['types', '{numeric'],
    ['types', 'numeric'],
    ['tables', ''],
    ['tables', 'a.b.c'],
    ['tables', '{"!a": true}'],
    ['tables', '{"a*": x}'],
    ['tables', '{a: wal2dolt_position}'],
    ['tables', '{a: {nome: x}}'],
    ['tables', '{a: 5}'],
    ['tables', '{a: {types: {b: 5}}}'],
  ])('%s=%s', async (option, value) => {
    expect(await problemsOf(loadOptions({ [option]: value }))).toMatch(/\(--/);
  });
});

describe('values', () => {
  it.each([
    ['250', 250],
    ['250ms', 250],
    ['1.5s', 1500],
    ['2m', 120_000],
    ['2 min', 120_000],
    ['1h', 3_600_000],
    [300, 300],
  ])('a duration of %s', async (given, milliseconds) => {
    expect((await loadOptions({ commitMaxDelay: given })).commit.maxDelay).toBe(milliseconds);
  });

  it.each([
    ['100', 100],
    ['512kB', 524_288],
    ['16mb', 16_777_216],
    ['1 GiB', 1_073_741_824],
  ])('a size of %s', async (given, bytes) => {
    expect((await loadOptions({ commitMaxBytes: given })).commit.maxBytes).toBe(bytes);
  });

  it('of YAML and of text are the same', async () => {
    const yaml = await loadYaml('commit: {maxRows: 5}\nforeignKeys: true\nuntil: 0/16B3748\ntypes: {numeric: DOUBLE}');
    const options = { commitMaxRows: '5', foreignKeys: 'true', until: '0/16b3748', types: '{numeric: DOUBLE}' };
    expect(await loadOptions(options)).toEqual(yaml);
    expect(yaml.until).toBe(0x16b3748n);
    expect(yaml.types.get('numeric')).toBe('DOUBLE');
  });
});
