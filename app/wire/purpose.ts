/** Joins what the operator has said of the business with what depends on it: the prompt, `/readyz` and the inbox. */
import type { Config } from '../config.ts';
import { isWithoutPurpose, NO_PURPOSE, templateOf } from '../conversation/purpose.ts';

export interface PurposeParts {
  /** Of the system prompt. */
  template: string;
  /** For `/readyz`; empty in the simulator, where none is needed. */
  states: Record<string, string>;
  /** What the operator should mend, for the inbox. */
  notices: { code: string; text: string }[];
}

export function buildPurpose({ business, systemPrompt, simulator }: Config): PurposeParts {
  const given = { business, ownPrompt: systemPrompt, isSimulated: simulator };
  const isMissing = isWithoutPurpose(given);
  return {
    template: templateOf(given),
    states: simulator ? {} : { purpose: isMissing ? 'not set' : 'ok' },
    notices: isMissing ? [{ code: 'purpose.missing', text: NO_PURPOSE }] : [],
  };
}
