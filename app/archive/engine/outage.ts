/**
 * Is the database unavailable, or is the statement wrong? An outage passes; anything else would fail again.
 */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (isSqlState(code)) return OUTAGES.some((beginning) => code.startsWith(beginning));
  return code.startsWith('E') || (error.name === 'Error' && CONNECTION_TROUBLE.test(error.message));
}

/**
 * Classes and codes of https://www.postgresql.org/docs/current/errcodes-appendix.html: no connection, wrong password, no such
 * database, read-only, deadlock, no resources, locked, shutting down, I/O; and tables that are not there (yet).
 */
const OUTAGES = ['08', '28', '3D', '25', '40', '53', '55', '57', '58', 'F0', '42P01', '42703', '42501'];

/** What pg says without a code. */
const CONNECTION_TROUBLE = /connect|terminated|timeout|closed|not queryable|pool after calling end|driver has already/i;

/** Five characters with a digit among them; Node's own codes (`EPIPE`) have none. */
function isSqlState(code: string): boolean {
  return /^(?=.*\d)[0-9A-Z]{5}$/.test(code);
}
