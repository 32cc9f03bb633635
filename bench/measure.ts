import { readFile, writeFile } from 'node:fs/promises';
import { childrenOf } from '../src/servers/processes.js';

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

/** Seconds of CPU of a server that has a process for each session: all that live, and those that have ended. */
export async function serverCpuSeconds(pid: number): Promise<number> {
  const { own, ended } = await readCpu(pid);
  const sessions = await Promise.all((await childrenOf(pid)).map((child) => readCpu(child).catch(() => null)));
  return sessions.reduce((sum, session) => sum + (session?.own ?? 0), own + ended);
}

/** The process that began another. */
export async function parentOf(pid: number): Promise<number> {
  return Number((await readStat(pid))[1]);
}

/** Seconds: of the process itself, and of its children that have ended. Rejects when it is gone. */
async function readCpu(pid: number): Promise<{ readonly own: number; readonly ended: number }> {
  const [user = 0, system = 0, children = 0, childrenSystem = 0] = (await readStat(pid)).slice(11).map(Number);
  return { own: (user + system) / TICKS_PER_SECOND, ended: (children + childrenSystem) / TICKS_PER_SECOND };
}

/** The fields from the third on. */
async function readStat(pid: number): Promise<string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Null when the process is gone. */
async function readUsage(pid: number): Promise<Usage | null> {
  try {
    const [{ own }, status] = await Promise.all([readCpu(pid), readFile(`/proc/${pid}/status`, 'utf8')]);
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    if (kilobytes === undefined) return null; // a zombie has no memory
    return {
      cpuSeconds: own,
      peakBytes: Number(kilobytes) * 1024,
    };
  } catch {
    return null;
  }
}
