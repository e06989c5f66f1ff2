/** Joins what the operator has said of the business with what depends on it: the prompt, `/readyz`, the log and the inbox. */
import type { Config } from '../config.ts';
import { isWithoutPurpose, NO_PURPOSE, templateOf } from '../conversation/purpose.ts';
import type { Log } from '../ops/logger.ts';

export interface PurposeParts {
  /** Of the system prompt. */
  template: string;
  /** For `/readyz`; empty in the simulator, where none is needed. */
  states: Record<string, string>;
  /** What the operator should mend, for the inbox. */
  notices: { code: string; text: string }[];
}

export function buildPurpose({ business, systemPrompt, simulator }: Config, log: Log): PurposeParts {
  const given = { business, ownPrompt: systemPrompt, isSimulated: simulator };
  const isMissing = isWithoutPurpose(given);
  if (isMissing) log.warn(NO_PURPOSE);
  return {
    template: templateOf(given),
    states: simulator ? {} : { purpose: isMissing ? 'not set' : 'ok' },
    notices: isMissing ? [{ code: 'purpose.missing', text: NO_PURPOSE }] : [],
  };
}
