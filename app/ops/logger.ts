import { Writable } from 'node:stream';
import winston from 'winston';
import { redact, redactText } from '../privacy/redact.ts';

/** The fields of a log line. Strings are always scrubbed and redacted before they are written. */
export type LogFields = Record<string, unknown>;

/** The log of the program. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log whose lines all carry these fields, too. */
  child(fields: LogFields): Log;
}

/** From the most to the least talkative. A log shows its own level and those after it. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LoggerOptions {
  level: LogLevel;
  /** One JSON object a line for machines (`time` ISO 8601, `level`, `message`, fields), or text for people. */
  format: 'json' | 'text';
  /** Takes a finished line without its end of line. Standard output unless given; text is coloured on a terminal. */
  write?: (line: string) => void;
}

/**
 * The log of the whole program. Every line goes through `redact` as part of winston's format, so that no caller can
 * forget it. Lines are written in the order they are logged; logging never throws.
 */
export function createLogger(options: LoggerOptions): Log {
  const render = options.format === 'json' ? jsonLine : textLine(options.write === undefined && isColourful());
  const logger = winston.createLogger({
    level: options.level,
    levels: SEVERITY,
    format: winston.format((info) => Object.assign(info, { [LINE]: safely(render, info) }))(),
  });
  logger.pipe(lines(options.write ?? standardOutput()));
  // Asked once: winston's own answer takes longer than a line that is not written may.
  const shown = new Set(LOG_LEVELS.filter((level) => logger.isLevelEnabled(level)));
  return logOf(logger, shown, NOTHING_BOUND);
}

/** winston counts down: 0 is the most severe. */
const SEVERITY: Record<LogLevel, number> = { error: 0, warn: 1, info: 2, debug: 3 };
const COLOURS: Record<LogLevel, string> = { error: 'red', warn: 'yellow', info: 'green', debug: 'gray' };
/** Where winston keeps the level it filters by and the finished line (`triple-beam`). */
const LEVEL = Symbol.for('level');
const LINE = Symbol.for('message');

/** The fields of a log and of those it is a child of. They are made ready when the first line needs them, and only once. */
interface Bound {
  parent: Bound | undefined;
  fields: LogFields;
  redacted: Fields | undefined;
  json: string | undefined;
}

const NOTHING_BOUND: Bound = { parent: undefined, fields: {}, redacted: {}, json: '' };

/** Plain data that has been through `redact`. */
type Fields = Record<string, unknown>;

/** One call, on its way through winston. */
interface Entry {
  level: LogLevel;
  message: unknown;
  fields: unknown;
  bound: Bound;
}

function logOf(logger: winston.Logger, shown: ReadonlySet<LogLevel>, bound: Bound): Log {
  const at = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (!shown.has(level)) return;
    try {
      logger.write({ [LEVEL]: level, level, message, fields, bound });
    } catch {
      // the output failed: it cannot be reported, and the program continues
    }
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => logOf(logger, shown, { parent: bound, fields, redacted: undefined, json: undefined }),
  };
}

/** Where winston's lines go. Its own transports for consoles and streams start a timer for every line. */
function lines(write: (line: string) => void): Writable {
  return new Writable({
    objectMode: true,
    write(info: Record<symbol, string>, _encoding, next) {
      try {
        write(info[LINE] ?? '');
      } finally {
        next();
      }
    },
  });
}

/** Any value as one line. */
function safely(render: (line: Line) => string, info: unknown): string {
  const { level, message, fields, bound } = info as Entry; // only `logOf` writes to the logger
  const time = new Date().toISOString();
  try {
    return render({ time, level, message: redactText(String(message)), fields: ownFields(fields, level), bound });
  } catch {
    return render({ time, level, message: 'A log line could not be written', fields: {}, bound: NOTHING_BOUND });
  }
}

interface Line {
  time: string;
  level: LogLevel;
  message: string;
  fields: Fields;
  bound: Bound;
}

function ownFields(fields: unknown, level: LogLevel): Fields {
  if (fields === undefined) return {};
  return asFields(redact(fields instanceof Error ? { error: fields } : fields, '', { stacks: level === 'error' }));
}

function boundFields(bound: Bound): Fields {
  bound.redacted ??= { ...(bound.parent && boundFields(bound.parent)), ...asFields(redact(bound.fields)) };
  return bound.redacted;
}

/** A caller without types may pass anything. */
function asFields(redacted: unknown): Fields {
  const isRecord = typeof redacted === 'object' && redacted !== null && !Array.isArray(redacted);
  return isRecord ? (redacted as Fields) : { fields: redacted }; // `redact` makes records of plain objects
}

function jsonLine({ time, level, message, fields, bound }: Line): string {
  const head = `{"time":"${time}","level":"${level}","message":${JSON.stringify(message)}`;
  const inherited = boundFields(bound);
  // Two pieces of JSON side by side are made quicker than one of an object that is put together first.
  if (Object.keys(fields).some((key) => key in inherited)) return `${head}${members({ ...inherited, ...fields })}}`;
  bound.json ??= members(inherited);
  return `${head}${bound.json}${members(fields)}}`;
}

/** `,"key":value` for each field. */
function members(fields: Fields): string {
  const json = JSON.stringify(OWN_NAMES.some((name) => name in fields) ? renamed(fields) : fields);
  return json.length > 2 ? `,${json.slice(1, -1)}` : '';
}

const OWN_NAMES = ['time', 'level', 'message'];

/** A field must not pass itself off as the line's own. */
function renamed(fields: Fields): Fields {
  const entries = Object.entries(fields);
  return Object.fromEntries(entries.map(([key, value]) => [OWN_NAMES.includes(key) ? `field.${key}` : key, value]));
}

/** `12:34:56.789 info  message key=value`, then the stacks of errors on lines of their own. Times are UTC. */
function textLine(colours: boolean): (line: Line) => string {
  const colorizer = winston.format.colorize({ colors: COLOURS });
  return ({ time, level, message, fields, bound }) => {
    const name = colours ? colorizer.colorize(level, level.padEnd(5)) : level.padEnd(5);
    const stacks: string[] = [];
    const pairs = Object.entries({ ...boundFields(bound), ...fields }).map(
      ([key, value]) => ` ${visible(key)}=${textValue(value, stacks)}`,
    );
    return `${time.slice(11, 23)} ${name} ${visible(message)}${pairs.join('')}${stacks.join('')}`;
  };
}

function textValue(value: unknown, stacks: string[]): string {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? visible(value) : visible(JSON.stringify(value));
  const takeStacks = (key: string, inner: unknown) => {
    if (key !== 'stack' || !Array.isArray(inner)) return inner;
    stacks.push(...inner.map((frame) => `\n    ${visible(String(frame))}`));
    return undefined;
  };
  return visible(JSON.stringify(value, takeStacks) ?? String(value));
}

/** Control characters as escapes: a text must not begin a new line or control the terminal. */
function visible(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) =>
    character === '\n' ? '\\n' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function isColourful(): boolean {
  return process.stdout.isTTY === true && process.stdout.hasColors();
}

/** Characters that may wait for the end of a round: what a pipe holds. */
const MAX_WAITING = 65_536;

/**
 * Gathers the lines of one round of the event loop into one system call, which costs more than all else about a line.
 * What is gathered when the process ends is written then; the reader going away is not the program's end.
 */
function standardOutput(): (line: string) => void {
  let waiting = '';
  const flush = () => {
    const text = waiting;
    waiting = '';
    if (text) process.stdout.write(text);
  };
  process.stdout.on('error', () => {});
  process.on('exit', flush);
  return (line) => {
    if (!waiting) setImmediate(flush);
    waiting += `${line}\n`;
    if (waiting.length > MAX_WAITING) flush();
  };
}
