import { type Column, qualifiedName, type TableSchema } from '../../src/core/schema.js';
import type { DdlHistory } from './ddl-workload-history.js';
import { DoltHistory, type DoltTable } from './ddl-workload-target.js';
import type { DoltDatabase } from './dolt.js';

/** A table at one moment. */
interface Version {
  /** By attnum. */
  readonly columns: ReadonlyMap<number, ToldColumn>;
  /** Others when all rows were written again: its own, or those of its partitions. */
  readonly files: readonly number[];
  /** Of all attributes that there have been; of what the target has, not known. */
  readonly layouts: ReadonlyMap<number, string>;
}

/** A column as an announcement tells it: neither attnum nor what is behind a type. */
interface ToldColumn {
  readonly text: string;
  readonly typeOid: number;
}

const told = ({ name, type }: Column): ToldColumn => ({
  text: `${name} ${type.oid} ${type.typmod}`,
  typeOid: type.oid,
});

const versionOf = (
  { columns, fileNode, kind, leaves = [] }: TableSchema,
  layouts: Version['layouts'] = new Map(),
): Version => ({
  columns: new Map(columns.map((column) => [column.attnum, told(column)])),
  files: kind === 'p' ? leaves.map(([file]) => file) : [fileNode],
  layouts,
});

/** Whether all rows may have been written again in between. */
const isRewritten = (before: Version, now: Version): boolean => !before.files.some((file) => now.files.includes(file));

const list = ({ columns }: Version): string => [...columns.values()].map(({ text }) => text).join();

/** What is to be said of a halt. */
export interface HaltJudgement {
  /** The name that the message tells to copy the table again by. */
  readonly named: string;
  /** The tables that were ambiguous and had that name. */
  readonly oids: readonly number[];
  /** There is none of them any more, so nothing can be copied again. */
  readonly gone: boolean;
  /** Why it was not right to halt. */
  readonly fault: string | null;
}

/**
 * Whether a run without event triggers was right to halt for a table, told from the whole history of the table: what the
 * target had of it, what each row could have announced, what the catalog could say by then.
 */
export async function judgeHalt(message: string, history: DdlHistory, target: DoltDatabase): Promise<HaltJudgement> {
  const named = message.slice(0, message.indexOf(': '));
  await using dolt = await DoltHistory.open(target);
  const newest = (await dolt.commits()).at(-1);
  const stored = newest ? await dolt.at(newest.hash) : new Map<number, DoltTable>();
  const since = newest && history.at(newest.end)[0];
  const states = history.states.slice(since ? history.states.indexOf(since) + 1 : 0);
  const moments = states.flatMap(({ moments, uncertain }) =>
    moments.map(({ tables, touched }) => ({
      tables,
      announces: (oid: number) => uncertain || touched.has(oid),
    })),
  );
  const called = new Set(
    moments.flatMap(({ tables }) =>
      [...tables].flatMap(([oid, { schema }]) => (qualifiedName(schema) === named ? oid : [])),
    ),
  );
  const oids = [...called].filter((oid) => {
    const known = stored.get(oid)?.schema;
    const before = known ? [versionOf(known)] : [];
    const rest = moments.flatMap(({ tables, announces }) => {
      const table = tables.get(oid);
      return table ? { version: versionOf(table.schema, table.layouts), announced: announces(oid) } : [];
    });
    return rest.some(({ version, announced }, i) => {
      const found =
        announced && before.some((one) => rest.slice(i).some((now) => isUnknowable(one, version, now.version)));
      if (announced) before.push(version);
      return found;
    });
  });
  const latest = history.states.at(-1)?.tables;
  return {
    named,
    oids,
    gone: !oids.some((oid) => latest?.has(oid)),
    fault:
      oids.length === 0
        ? `nothing about ${named} was ambiguous`
        : message.includes('no history leads')
          ? `there was a history of ${named}`
          : null,
  };
}

/** A column that came and went again, or its type, leaves nothing to tell what it was. */
function isUnknowable(before: Version, announced: Version, now: Version): boolean {
  const gone = [...announced.columns.keys()].some((attnum) => !before.columns.has(attnum) && !now.columns.has(attnum));
  const types = new Set([...before.columns.values(), ...now.columns.values()].map(({ typeOid }) => typeOid));
  const typeGone = [...announced.columns.values()].some(
    ({ typeOid }) => typeOid >= FIRST_USER_OID && !types.has(typeOid),
  );
  return gone || typeGone || isAmbiguous(before, announced, now);
}

/** Types of Postgres itself can not be dropped. */
const FIRST_USER_OID = 16_384;

/**
 * Whether the columns that a row announced could be more than one sequence of attributes. Where the catalog has gone on:
 * of all that could have been there. Where it still is as announced: of those alone that could have had these types. Names
 * say nothing: if it is not known that the last change came before the row, they may have been others.
 */
function isAmbiguous(before: Version, announced: Version, now: Version): boolean {
  const rewritten = isRewritten(before, now);
  const layouts = [...announced.columns.keys()].map((attnum) => announced.layouts.get(attnum));
  // What is gone by now is only known by how it was stored.
  const sequences = sequencesOf(before, announced.columns.size, now).filter((attnums) =>
    attnums.every((attnum, i) => rewritten || now.columns.has(attnum) || now.layouts.get(attnum) === layouts[i]),
  );
  if (list(announced) !== list(now)) return sequences.length > 1;
  const columns = [...announced.columns.values()];
  const possible = sequences.filter((attnums) =>
    attnums.every((attnum, i) => {
      const known = [before.columns.get(attnum), now.columns.get(attnum)].filter((column) => column !== undefined);
      return rewritten || known.length === 0 || known.some(({ typeOid }) => isStoredAs(typeOid, columns[i]?.typeOid));
    }),
  );
  return possible.length > 1;
}

/** Whether a column may go from one type to the other and keep its rows. */
const isStoredAs = (a: number, b = 0): boolean =>
  a === b || [a, b].some((oid) => oid >= FIRST_USER_OID) || [a, b].every((oid) => TEXTS.includes(oid));

/** text, varchar, bpchar. */
const TEXTS: readonly number[] = [25, 1043, 1042];

/** All sequences of so many attnums that a table may have announced between two moments. */
function sequencesOf(before: Version, length: number, now: Version): number[][] {
  const oldest = Math.max(0, ...before.columns.keys());
  const newest = Math.max(oldest, ...now.layouts.keys()); // some may have come after the one moment, and gone before the other
  let found: number[][] = [[]];
  for (let attnum = 1; attnum <= newest; attnum += 1) {
    const [was, is] = [before.columns.has(attnum), now.columns.has(attnum)];
    if (attnum <= oldest && !was) continue; // gone already
    found = found.flatMap((sequence) => {
      const grown = [...sequence, attnum];
      return was && is ? [grown] : [sequence, grown];
    });
  }
  // What is there now was there as soon as anything newer was; and was announced, unless it was a generated column then,
  // for which all rows are written.
  const rewritten = isRewritten(before, now);
  const living = [...now.columns.keys()].filter((attnum) => attnum > oldest);
  return found.filter(
    (sequence) =>
      sequence.length === length &&
      (rewritten || living.every((attnum) => sequence.includes(attnum) || Math.max(0, ...sequence) < attnum)),
  );
}
