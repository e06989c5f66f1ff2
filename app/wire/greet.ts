/** Joins what greets somebody new with a template, when the operator has chosen one. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { IsKnown } from '../archive/read/known.ts';
import type { Config } from '../config.ts';
import { createGreet, type Greet } from '../conversation/greet.ts';
import type { OutboundParts } from './outbound.ts';

/** So long somebody waits for the archive's word whether they are known, ms. */
const KNOWN_MS = 1_000;

export interface GreetTools {
  isKnown: IsKnown;
  outbound: Pick<OutboundParts, 'templates' | 'channels'>;
}

/** @returns null when first messages are answered */
export function buildGreet(
  { firstContactTemplate: template }: Config,
  { isKnown, outbound }: GreetTools,
): Greet | null {
  if (template === null) return null;
  const { templates, channels } = outbound;
  return createGreet({
    template,
    templates,
    fits: (channel) => channels.of(channel).templatesBy === ('contentSid' in template ? 'id' : 'name'),
    isKnown: (contact, but) =>
      Promise.race([isKnown(contact, but).catch(() => true), sleep(KNOWN_MS, true, { ref: false })]),
  });
}
