import type { Field } from '../src/config/fields.js';
import { FIELDS } from '../src/config.js';

/** The text of docs/configuration.md. test/configuration-doc.test.ts checks that the file has it, and writes it with `-u`. */
export function configurationDoc(): string {
  const groups = [...new Set(FIELDS.map((field) => field.group))];
  const sections = groups.map((group) => {
    const fields = FIELDS.filter((field) => field.group === group);
    return [`## ${group}`, ...fields.map(describeField)].join('\n\n');
  });
  return [INTRODUCTION, ...sections].join('\n\n').concat('\n');
}

function describeField(field: Field): string {
  const [group, name] = field.path.split('.');
  const example = name === undefined ? `${field.path}: ${field.example}` : `${group}: {${name}: ${field.example}}`;
  const fallback = field.required
    ? 'none: it is required'
    : field.default === undefined || field.default === field.defaultHelp
      ? field.defaultHelp
      : `\`${field.default}\``;
  return [
    `### \`${field.path}\``,
    field.help,
    [
      `- Accepts: ${field.accepts.replace(/[<>*_]/g, '\\$&')}`,
      `- Default: ${fallback}`,
      `- Option and variable: \`${field.flag}\`, \`${field.variable}\``,
      `- Example: \`${example}\``,
    ].join('\n'),
  ].join('\n\n');
}

const INTRODUCTION = `<!-- Generated from src/config.ts by \`npx vitest run test/configuration-doc.test.ts -u\`: do not edit. -->

# Configuration

wal2dolt needs to know two things, where Postgres is and where Dolt is; everything else has a default.

\`\`\`yaml
# wal2dolt.yaml
source: postgres://wal2dolt:secret@db.example.org:5432/shop
target: mysql://wal2dolt:secret@127.0.0.1:3306/shop
commit: {maxDelay: 10s}
tables:
  public.*: true
  public.audit_*: false
\`\`\`

## Three places, the same names

| | | wins over |
|---|---|---|
| option | \`--commit-max-delay 10s\` | variable and file |
| environment variable | \`WAL2DOLT_COMMIT_MAX_DELAY=10s\` | file |
| file | \`commit: {maxDelay: 10s}\`, or \`commit.maxDelay: 10s\` | the default |

The file is \`wal2dolt.yaml\` in the current folder if there is one, or the one that \`--config\` or \`WAL2DOLT_CONFIG\` names.
An empty variable counts as not set. A switch such as \`--foreign-keys\` is set to false by \`--no-foreign-keys\`.

A key, variable or option that wal2dolt does not know is refused, and so is a value that it does not accept: all problems
are told at once, each with its place and with what is accepted there, and the exit code is 2.

- Durations: \`250ms\`, \`5s\`, \`2m\`, \`1h\`; a plain number is milliseconds.
- Sizes: \`512kB\`, \`16MB\`, \`1GB\`, in powers of 1024 as in Postgres; a plain number is bytes.
- Passwords in URLs: characters such as \`@\`, \`/\`, \`#\`, \`?\` and \`%\` are percent-encoded (\`%40\`, \`%2F\`, \`%23\`, \`%3F\`, \`%25\`).
  wal2dolt never prints a password. On a command line other users of the machine can see it: use a variable or the file.

## Tables

\`tables\` says which tables are replicated. As text (\`--tables 'public.*,!public.audit_*'\`) or as a list it has patterns:

- \`*\` stands for any characters within the schema's or the table's name; \`orders\` without a schema is \`public.orders\`.
- \`!\` before a pattern excludes. Excludes always win. Where there are patterns without \`!\`, only tables that match one of
  them are replicated; without any, all tables are.
- Names are compared exactly, upper and lower case included. A part in double quotes is taken literally, with its dots and
  stars: \`public."a.b*"\`.
- In YAML, text that begins with \`!\` or \`*\` needs quotes.

In the file it may be a map instead, which can say more. The values are:

| value | |
|---|---|
| \`true\`, \`false\` | include, exclude, as above |
| a name | the name of this table in Dolt |
| \`{name: …, exclude: […], types: {…}}\` | any of: the name in Dolt, columns that are left out, Dolt types by column |

A name or options neither include nor exclude a table. Where several entries match one table, the columns left out add up,
and of names and types the last one wins.

\`\`\`yaml
source: postgres://db.example.org/shop
target: mysql://root@127.0.0.1/shop
tables:
  public.*: true
  sales.*: true
  '*.tmp_*': false
  sales.orders: orders_archive
  customers: {exclude: [password_hash], types: {note: VARCHAR(2000)}}
  '*.*': {exclude: [search_vector]}
\`\`\`

An option or variable replaces which tables the file selects, and keeps its names and options.
When a publication exists already, only tables that it publishes can be replicated.`;
