import { type Logger, pino, stdTimeFunctions } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { scrubSecrets } from '../config/secrets.js';
import type { Config } from '../config.js';
import { asWal2DoltError, type Wal2DoltError } from '../errors.js';

export interface LogStyle {
  readonly level: Config['logLevel'];
  readonly format: 'pretty' | 'json';
  readonly color: boolean;
}

/** `auto` is for people where `stream` is a terminal. Colour as https://no-color.org asks. */
export function logStyle(
  config: Pick<Config, 'logLevel' | 'logFormat'>,
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): LogStyle {
  const terminal = stream.isTTY === true;
  const format = config.logFormat === 'auto' ? (terminal ? 'pretty' : 'json') : config.logFormat;
  return { level: config.logLevel, format, color: terminal && !env.NO_COLOR };
}

/**
 * The one way to log: `logger.info({ table, rows }, 'copied table')`, lower-case messages and structured fields.
 * Lines are written at once, so none is lost at exit. Passwords in URLs are hidden, wherever they stand.
 */
export function createLogger(style: LogStyle, write: (text: string) => void): Logger {
  const pretty = prettyFactory({
    colorize: style.color,
    translateTime: 'SYS:HH:MM:ss.l',
    hideObject: true,
    messageFormat: (log) => readable(log, style.color),
  });
  return pino(
    {
      level: style.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (error: unknown) => serializeError(error, showsStacks(style)) },
      redact: { paths: ['password', '*.password', 'connectionString', '*.connectionString'], censor: '***' },
      hooks: { streamWrite: scrubSecrets },
    },
    { write: (line: string) => write(style.format === 'json' ? line : pretty(line)) },
  );
}

/** `copied table  table=public.orders rows=120`, with the fields dimmed. */
function readable(log: Readonly<Record<string, unknown>>, color: boolean): string {
  const { msg, err, level: _level, time: _time, ...fields } = log;
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${readableValue(value)}`);
  // What our own serializer made of it.
  for (let error = err as SerializedError | undefined; error; error = error.cause) {
    pairs.push(error.stack ? `\n${error.stack}` : `(${error.code ? `${error.code}: ` : ''}${error.message})`);
  }
  if (pairs.length === 0) return `${msg}`;
  return color ? `${msg}  \u001b[2m${pairs.join(' ')}\u001b[22m` : `${msg}  ${pairs.join(' ')}`;
}

const readableValue = (value: unknown): string =>
  typeof value === 'string' && !/\s/.test(value) ? value : JSON.stringify(value);

/** The end of a command that failed: two lines for people, one log line for machines. */
export function reportError(thrown: unknown, style: LogStyle, write: (text: string) => void): void {
  const error = asWal2DoltError(thrown);
  if (style.format === 'json') {
    const { action, remedy } = error.policy;
    createLogger(style, write).error({ code: error.code, action, remedy, err: error }, error.message);
  } else {
    write(`${scrubSecrets(describeError(error, style))}\n`);
  }
}

function describeError(error: Wal2DoltError, style: LogStyle): string {
  const label = style.color ? `\u001b[31merror ${error.code}\u001b[39m` : `error ${error.code}`;
  const lines = [`${label}: ${error.message}`, error.policy.remedy];
  if (showsStacks(style)) {
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
      lines.push(cause.stack ?? cause.message);
  }
  return lines.join('\n');
}

const showsStacks = (style: LogStyle): boolean => style.level === 'debug' || style.level === 'trace';

interface SerializedError {
  readonly code?: string;
  readonly message: string;
  readonly stack?: string | undefined;
  readonly cause?: SerializedError;
}

/** Code and message only: the errors of drivers carry statements, rows and connection settings with them. */
function serializeError(error: unknown, withStack: boolean, depth = 0): SerializedError {
  if (!(error instanceof Error)) return { message: String(error) };
  return {
    ...('code' in error ? { code: String(error.code) } : {}),
    message: error.message,
    ...(withStack ? { stack: error.stack } : {}),
    ...(error.cause === undefined || depth > 5 ? {} : { cause: serializeError(error.cause, withStack, depth + 1) }),
  };
}
