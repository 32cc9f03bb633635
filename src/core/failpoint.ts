/**
 * Places at which a crash would hurt most, by name. With `WAL2DOLT_FAILPOINT=name` (or `name:3`, the third time it is
 * reached) the process kills itself there, as `kill -9` would: that is how the tests prove that nothing is lost.
 */
export type Failpoint =
  | 'before-slot'
  | 'after-slot'
  | 'after-create'
  | 'after-table'
  | 'before-squash'
  | 'mid-squash'
  | 'after-squash'
  | 'between-halves'
  | 'after-apply'
  | 'after-commit'
  | 'before-acknowledge'
  | 'after-spill'
  | 'after-alter'
  | 'after-schema-commit'
  | 'before-recopy'
  | 'after-recopy'
  | 'before-join'
  | 'after-join'
  | 'before-release'
  | 'before-timeline'
  | 'after-timeline';

const [armed, count] = (process.env.WAL2DOLT_FAILPOINT ?? '').split(':');
let remaining = Number(count ?? 1);

export function failpoint(name: Failpoint): void {
  if (name !== armed) return;
  remaining -= 1;
  if (remaining === 0) process.kill(process.pid, 'SIGKILL');
}
