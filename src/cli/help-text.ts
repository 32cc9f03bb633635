export const SUMMARY = `Streams a PostgreSQL database into Dolt, so that its whole history can be queried, diffed and cloned.
Every commit in Dolt is a state that Postgres had; its position in the WAL is part of the commit.`;

const CONNECT = '--source postgres://ann:secret@db:5432/shop --target mysql://root@dolt:3306/shop';

export const EPILOGUE = `
Examples:
  $ wal2dolt check ${CONNECT}
  $ wal2dolt run ${CONNECT}
  $ wal2dolt demo

Exit codes: 0 done; 1 a difference or finding; 2 usage or configuration; 3 halted, needs the operator;
4 gave up retrying.
Pages in docs/: configuration.md (every key), operating.md (slots, privileges, WAL), types.md, architecture.md.`;

export const CONFIG_EPILOGUE = `
Every option may also be a key in the file (--commit-max-delay is commit: {maxDelay: …}) or a variable
(WAL2DOLT_COMMIT_MAX_DELAY). Options win over variables, variables over the file. A switch is set to false by --no-….
Passwords on a command line are seen by other users of the machine: better in a variable or the file.`;

export const RUN_EPILOGUE = `${CONFIG_EPILOGUE}

Examples:
  $ wal2dolt run ${CONNECT}
  $ wal2dolt run --config shop.yaml --tables 'public.*,!public.audit_*' --commit-max-delay 10s
  $ wal2dolt run --config shop.yaml --until current     # catch up, then exit 0

SIGINT and SIGTERM finish the open batch and exit 0 within seconds; a second signal exits at once, losing nothing.`;

export const OTHER_EPILOGUE = `
The file and the variables of \`wal2dolt run\` hold here too; its help has all of their keys.`;

export const LOG_EPILOGUE = `${OTHER_EPILOGUE}

Examples:
  $ wal2dolt log --limit 5
  $ wal2dolt log --schema
  $ wal2dolt log --schema public.orders --json`;

export const RESYNC_EPILOGUE = `${OTHER_EPILOGUE}

Example:
  $ wal2dolt resync public.orders sales.items --wait`;
