import {
  identityOf,
  placesOf,
  type SourceCatalog,
  type SourceColumn,
  type SourceTable,
} from './ddl-workload-catalog.js';
import type { Dice } from './ddl-workload-dice.js';
import { valueFor } from './ddl-workload-values.js';

/** What may happen in a step of a transaction: one or several statements, null where nothing is there to do it to. */
export interface Statement {
  readonly name: string;
  readonly weight: number;
  /** Without event triggers, nothing in the stream tells of it. */
  readonly unseen?: true;
  readonly sql: (scene: Scene) => string | null;
}

/** What a session may do: it has schemas of its own, so that two sessions never wait for each other. */
export interface Territory {
  /** Of these, the first are published where the publication is of schemas. */
  readonly schemas: readonly string[];
  readonly tableNames: readonly string[];
  /** Types, partitions and the publication too: only one session may. */
  readonly everything: boolean;
}

const COLUMN_NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'Mixed', 'select', 'é', 'with space', 'g', 'h'];

/** The source as it is before a step, and the dice that are thrown for the step. */
export class Scene {
  readonly dice: Dice;
  readonly catalog: SourceCatalog;
  readonly territory: Territory;
  /** First of so many numbers that no row was made of. */
  readonly numbers: (count: number) => number;
  /** oid of the table that the last step was about; steps like to stay with it. */
  focus: number;

  constructor(
    dice: Dice,
    catalog: SourceCatalog,
    territory: Territory,
    numbers: (count: number) => number,
    focus: number,
  ) {
    this.dice = dice;
    this.catalog = catalog;
    this.territory = territory;
    this.numbers = numbers;
    this.focus = focus;
  }

  get tables(): readonly SourceTable[] {
    return this.catalog.tables.filter(({ schema }) => this.territory.schemas.includes(schema));
  }

  /** One of the tables that pass; rather the one of the last step. */
  table(passes: (table: SourceTable) => boolean = () => true): SourceTable | undefined {
    const possible = this.tables.filter(passes);
    const last = possible.find(({ oid }) => oid === this.focus);
    const chosen = last && this.dice.chance(55) ? last : this.dice.find(possible);
    if (chosen) this.focus = chosen.oid;
    return chosen;
  }

  /** One of those whose own columns can be changed. */
  altered(passes: (table: SourceTable) => boolean = () => true): SourceTable | undefined {
    return this.table((table) => table.parent === null && passes(table));
  }

  /** A column that is the table's own, no part of a partition key. */
  column(table: SourceTable, passes: (column: SourceColumn) => boolean = () => true): SourceColumn | undefined {
    return this.dice.find(
      table.columns.filter(
        (column) => !column.inherited && !table.partitionKey.includes(column.attnum) && passes(column),
      ),
    );
  }

  /** Names that no column of the table has, compared as Dolt does. */
  freeColumns(table: SourceTable | null): string[] {
    const taken = new Set(table?.columns.map(({ name }) => name.toLowerCase()));
    return this.dice.shuffle(COLUMN_NAMES).filter((name) => !taken.has(name.toLowerCase()));
  }

  freeColumn(table: SourceTable): string | undefined {
    return this.freeColumns(table)[0];
  }

  /** A name that no table of the schema has. */
  freeTable(schema: string): string | undefined {
    const taken = this.tables.filter((table) => table.schema === schema).map(({ name }) => name);
    return this.dice.find(this.territory.tableNames.filter((name) => !taken.includes(name)));
  }

  schema(): string {
    // The first is the one that most tables are in.
    return this.dice.chance(60) ? (this.territory.schemas[0] ?? '') : this.dice.pick(this.territory.schemas);
  }

  /** A value for the column by the number, or NULL now and then. */
  value(table: SourceTable, column: SourceColumn, n: string): string | null {
    const inKey =
      identityOf(table)?.includes(column.attnum) === true ||
      table.indexes.some((index) => index.unique && index.attnums.includes(column.attnum));
    if (table.partitionKey.includes(column.attnum) || column.name === 'part') {
      const places = placesOf(this.catalog, table);
      return places.length === 0
        ? `((${n}) % 4)::${column.type}`
        : `(array[${places.join(', ')}])[1 + (${n}) % ${places.length}]::${column.type}`;
    }
    const value = valueFor(column.type, n, this.catalog, inKey);
    if (value === null || column.notNull || inKey || this.dice.chance(60)) return value;
    return `case when (${n}) % 4 = ${this.dice.nat(4)} then null else ${value} end`;
  }
}

export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

export const columnList = (table: SourceTable, attnums: readonly number[]): string =>
  attnums.map((attnum) => quote(table.columns.find((column) => column.attnum === attnum)?.name ?? '')).join(', ');
