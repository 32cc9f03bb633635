import { describe, expect, it } from 'vitest';
import { StatementBytes } from './statement-bytes.js';

const TEXT = "SELECT 'é 漢 😀'";
/** As mysql2 puts it in front of an empty statement, without and with attributes. */
const FRONTS = [Buffer.from([0, 0, 0, 0, 3]), Buffer.from([0, 0, 0, 0, 3, 0, 1])];

describe('bytes of a statement', () => {
  it.each(FRONTS)('go behind what mysql2 puts in front: %j', (front) => {
    expect(new StatementBytes(TEXT).behind(front)).toEqual(Buffer.concat([front, Buffer.from(TEXT)]));
  });

  it('stay when what they were made of changes', () => {
    const source = Buffer.from(TEXT);
    const bytes = new StatementBytes(source);
    source.fill(0);
    expect(bytes.head(100)).toBe(TEXT);
  });

  it('of several statements have semicolons between', () => {
    const together = StatementBytes.together(['SELECT 1', TEXT, ''].map((sql) => new StatementBytes(sql)));
    expect(together.head(100)).toBe(`SELECT 1;${TEXT};`);
    expect(together.length).toBe(Buffer.byteLength(`SELECT 1;${TEXT};`));
  });

  it('are told by their beginning', () => {
    expect(new StatementBytes(TEXT).head(6)).toBe('SELECT');
  });
});
