import type { Story } from './story.js';

/** A fenced block of Markdown: the words after the fence, what is between the fences, and where that begins. */
export interface Block {
  readonly info: string;
  readonly text: string;
  readonly start: number;
}

export function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    info: match[1] ?? '',
    text: match[2] ?? '',
    start: match.index + 3 + (match[1] ?? '').length + 1,
  }));
}

/**
 * What differs from run to run: times, positions, commits (whole or their beginning), numbers of three digits and more,
 * sizes and durations. A word may look like the beginning of a commit; that does no harm.
 */
const VOLATILE =
  /\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?Z?|\[?\b\d\d:\d\d:\d\d(?:\.\d+)?\]?|\b[0-9A-F]{1,8}\/[0-9A-F]{1,8}\b|\b[0-9a-f]{24}\b|\b(?:[0-9a-v]{32}|[0-9a-v]{10}|[0-9a-v]{8})\b|\b[\d.]+ (?:bytes|[kMGT]B|s|minutes|hours|days)\b|\b\d[\d,]{2,}\b/g;

const constant = (text: string): string =>
  text
    .replace(VOLATILE, '#')
    .replace(/-{2,}/g, '-')
    .replace(/[ \t]+/g, ' ')
    .replace(/^ | $/gm, '')
    .trim();

/** Each line of the excerpt, in this order, is in the whole; `…` stands for lines that were cut. */
export function isExcerpt(excerpt: string, whole: string): boolean {
  const lines = constant(whole).replace(/\d+/g, '#').split('\n');
  let from = 0;
  for (const line of constant(excerpt).replace(/\d+/g, '#').split('\n')) {
    if (line === '' || line === '…') continue;
    const found = lines.indexOf(line, from);
    if (found < 0) return false;
    from = found + 1;
  }
  return true;
}

/** Blocks for servers that the story has not; test/failover.e2e.test.ts has them. */
const FAILOVER = ['sql primary', 'sql standby', 'sql promoted'];

/**
 * Does what the page says and returns the page as it ought to be: a `text` block after a command holds what that printed.
 * One that holds the same but for what is volatile stays as it is, and then what it shows stands for what was printed:
 * a commit or a time that a later command quotes from it is replaced by the real one.
 */
export async function follow(markdown: string, story: Story): Promise<string> {
  let page = '';
  let end = 0;
  let output: string | null = null;
  const real = new Map<string, string>();
  for (const { info, text, start } of blocksOf(markdown)) {
    const command = [...real].reduce((result, [shown, actual]) => result.replaceAll(shown, actual), text);
    const exit = /^sh exit (\d)$/.exec(info)?.[1];
    if (info === 'sh' || exit) output = await story.shell(command, Number(exit ?? 0));
    else if (info === 'sh background') output = await story.background(command);
    else if (info === 'sh stopped') {
      await story.stop();
      output = await story.shell(command);
    } else if (info === 'sql dolt') output = await story.dolt(command);
    else if (info === 'sql postgres') await story.postgres(command);
    else if (info === 'text' || info === 'text excerpt') {
      if (output === null) throw new Error(`nothing was printed before\n${text}`);
      const same = info === 'text' ? constant(output) === constant(text) : text !== '' && isExcerpt(text, output);
      page += markdown.slice(end, start) + (same ? text : `${output.trim()}\n`);
      end = start + text.length;
      const actual = output.match(VOLATILE) ?? [];
      if (info === 'text' && same) {
        for (const [i, shown] of (text.match(VOLATILE) ?? []).entries()) real.set(shown, actual[i] ?? shown);
      }
    } else if (!['yaml', 'ini', 'sh elsewhere', 'text demo', ...FAILOVER].includes(info))
      throw new Error(`what is to be done with a block of ${info}?`);
  }
  return page + markdown.slice(end);
}
