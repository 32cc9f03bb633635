// Which part may import which. The picture is in docs/architecture.md.
const TEST = '\\.test\\.ts$';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'core-is-pure',
      comment: 'core/ holds the rules of streaming without any I/O; it imports nothing of the project but itself.',
      severity: 'error',
      from: { path: '^src/core/', pathNot: TEST },
      to: { pathNot: '^src/core/' },
    },
    {
      name: 'types-know-only-core',
      severity: 'error',
      from: { path: '^src/types/' },
      to: { path: '^src/', pathNot: '^src/(types|core)/|^src/errors\\.ts$' },
    },
    {
      name: 'source-and-target-are-apart',
      comment: 'postgres/ and dolt/ know neither each other nor what brings them together (sync/, history/).',
      severity: 'error',
      from: { path: '^src/(postgres|dolt)/' },
      to: {
        path: '^src/',
        pathNot: '^src/($1|core|types|config)/|^src/(config|errors)\\.ts$|^src/ops/(logging|metrics)|^src/servers/',
      },
    },
    {
      name: 'only-sync-and-history-join-them',
      comment: 'All else (the cli and the demo excepted, which put the parts together) stays clear of both.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(postgres|dolt|sync|history|cli|demo)[./]' },
      to: { path: '^src/(postgres|dolt)/' },
    },
    {
      name: 'servers-stand-alone',
      comment: 'Starting local servers is for the demo and the tests.',
      severity: 'error',
      from: { path: '^src/servers/', pathNot: TEST },
      to: { path: '^src/', pathNot: '^src/servers/|^src/errors\\.ts$' },
    },
    {
      name: 'only-the-demo-starts-servers',
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/(servers|cli|demo)[./]|${TEST}` },
      to: { path: '^src/servers/' },
    },
    {
      name: 'nobody-imports-the-cli',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli[./]' },
      to: { path: '^src/cli[./]' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-test-code',
      comment: 'What is shipped must run without what only the tests need.',
      severity: 'error',
      from: { path: '^src/', pathNot: TEST },
      to: { path: `^test/|${TEST}` },
    },
    {
      name: 'no-development-packages',
      severity: 'error',
      from: { path: '^src/', pathNot: TEST },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], pathNot: 'node_modules/@types/' },
    },
    {
      name: 'exists',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true, // imports of types count too
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
