import { readFile, writeFile } from 'node:fs/promises';

/** What a process used: seconds of CPU in all its threads, and the most memory it had at once, in bytes. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly peakBytes: number;
}

/** Of Linux: clock ticks of /proc are hundredths of a second on every platform that Node runs on (sysconf(_SC_CLK_TCK)). */
const TICKS_PER_SECOND = 100;
const SAMPLE_MS = 50;

/**
 * Watches a process from now on: the peak before does not count. What it had when it was looked at last is kept, so that
 * one that ends by itself is measured too. Source: https://man7.org/linux/man-pages/man5/proc.5.html
 */
export class UsageWatch {
  readonly #pid: number;
  readonly #before: number;
  readonly #timer: NodeJS.Timeout;
  #last: Usage = { cpuSeconds: 0, peakBytes: 0 };

  private constructor(pid: number, before: number) {
    this.#pid = pid;
    this.#before = before;
    this.#timer = setInterval(() => void this.#sample(), SAMPLE_MS);
  }

  static async start(pid: number): Promise<UsageWatch> {
    await writeFile(`/proc/${pid}/clear_refs`, '5').catch(() => {}); // resets VmHWM
    return new UsageWatch(pid, (await readUsage(pid))?.cpuSeconds ?? 0);
  }

  async stop(): Promise<Usage> {
    clearInterval(this.#timer);
    await this.#sample();
    return this.#last;
  }

  async #sample(): Promise<void> {
    const usage = await readUsage(this.#pid);
    if (usage === null) return;
    this.#last = {
      cpuSeconds: usage.cpuSeconds - this.#before,
      peakBytes: Math.max(usage.peakBytes, this.#last.peakBytes),
    };
  }
}

/** Null when the process is gone. */
async function readUsage(pid: number): Promise<Usage | null> {
  try {
    const [stat, status] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/status`, 'utf8'),
    ]);
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // from the third on
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    if (kilobytes === undefined) return null; // a zombie has no memory
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
      peakBytes: Number(kilobytes) * 1024,
    };
  } catch {
    return null;
  }
}
