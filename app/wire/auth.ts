/** Joins who may see the inbox. */
import { randomBytes } from 'node:crypto';
import type { Config } from '../config.ts';
import { type Auth, createAuth } from '../inbox/auth.ts';
import { createSessions } from '../memory/sessions.ts';
import type { Log } from '../ops/logger.ts';
import type { MemoryParts } from './memory.ts';

/** @param password of the people */
export function buildAuth(config: Config, password: string, memory: MemoryParts, log: Log): Auth {
  const { publicUrl, trustProxy, apiKeys } = config;
  return createAuth({
    password,
    apiKeys,
    publicUrl,
    trustProxy,
    now: memory.clock.now,
    sessions: createSessions(memory),
    log,
  });
}

/** The one that is configured, or one for an operator who gave none. It goes to standard error: the log would redact what looks like a secret. */
export function passwordOf({ adminPassword }: Config, log: Log): string {
  if (adminPassword !== undefined) return adminPassword;
  const password = randomBytes(9).toString('base64url');
  log.warn('ADMIN_PASSWORD is not given: a password was generated for this start, and written to standard error');
  process.stderr.write(`Password of the inbox until the next start: ${password}\n`);
  return password;
}
