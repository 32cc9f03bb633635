import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** The processes whose parent is `pid`. */
export async function childrenOf(pid: number): Promise<number[]> {
  const processes = process.platform === 'linux' ? await processesOfLinux() : await processesByPs();
  return processes.filter(({ parent }) => parent === pid).map((child) => child.pid);
}

type Process = { pid: number; parent: number };

/** By /proc (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html), since a small container image has no `ps`. */
async function processesOfLinux(): Promise<Process[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')));
  return stats.map((stat) => {
    const afterName = stat.slice(stat.lastIndexOf(')') + 2); // the name may hold blanks and brackets
    return { pid: Number.parseInt(stat, 10), parent: Number(afterName.split(' ')[1]) };
  });
}

async function processesByPs(): Promise<Process[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [pid, parent] = line.trim().split(/\s+/);
      return { pid: Number(pid), parent: Number(parent) };
    });
}
