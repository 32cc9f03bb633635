import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/**
 * Collects garbage now, which takes some 30 ms: for the few moments at which many megabytes have just become garbage. V8 by
 * itself would come to it when the next huge row is there too.
 */
export function collectGarbage(): void {
  collect ??= exposed();
  collect();
}

/** Source: https://nodejs.org/api/v8.html#v8setflagsfromstringflags and `node --v8-options` */
function exposed(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void; // what --expose-gc defines
}
