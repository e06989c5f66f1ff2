/** What a log line carries beside its message. Strings are scrubbed and redacted on the way out, whatever the caller does. */
export type LogFields = Record<string, unknown>;

/** Where the program tells the operator what it does. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log whose lines all carry these fields, too. */
  child(fields: LogFields): Log;
}
