import type { Logger } from 'pino';
import { createLogger, type LogStyle } from './logging.js';
import { type CopyProgress, LoggedProgress } from './progress.js';
import { BarProgress } from './progress-bars.js';

/**
 * Logger and progress for one process: bars with lines above them where people watch a terminal, else lines only.
 */
export function openOutput(style: LogStyle, stream: NodeJS.WriteStream): { logger: Logger; progress: CopyProgress } {
  if (style.format !== 'pretty' || !stream.isTTY) {
    const logger = createLogger(style, (text) => stream.write(text));
    return { logger, progress: new LoggedProgress(logger) };
  }
  const bars = new BarProgress(stream);
  const logger = createLogger(style, bars.write);
  const lines = new LoggedProgress(logger, null);
  const progress: CopyProgress = {
    start(tables) {
      lines.start(tables);
      bars.start(tables);
    },
    add(table, rows) {
      lines.add(table, rows);
      bars.add(table, rows);
    },
    done(table) {
      bars.done(table);
      lines.done(table);
    },
    finish() {
      bars.finish();
      lines.finish();
    },
  };
  return { logger, progress };
}
