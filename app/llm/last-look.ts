import type { Log } from '../ops/logger.ts';
import { findLeaks, type Scrubbed, scrub } from '../privacy/scrub.ts';
import type { ModelMessage } from './model.ts';

/**
 * The last look before messages leave for a model: counts what should have been taken out long before. When there is
 * something, it says so loudly, reports how much, and takes it out. Our own pictures (`data:` addresses) are not looked at.
 */
export function lastLook(messages: ModelMessage[], log: Log, onLeaks?: (count: number) => void): ModelMessage[] {
  let count = 0;
  for (const message of messages) for (const text of textsOf(message)) count += findLeaks(text).length;
  if (count === 0) {
    // At info: it is the line by which an operator sees that nothing leaks.
    log.info('No Twilio URLs found in the final messages');
    return messages;
  }
  log.error('Twilio URLs found in the final messages; they were taken out', { count });
  onLeaks?.(count);
  return messages.map((message) => ({ ...message, content: clean(message.content) }));
}

function textsOf({ content }: ModelMessage): Scrubbed[] {
  if (typeof content === 'string') return [content];
  return content.flatMap((part) => (part.kind === 'text' ? [part.text] : []));
}

function clean(content: ModelMessage['content']): ModelMessage['content'] {
  if (typeof content === 'string') return scrub(content);
  return content.map((part) => (part.kind === 'text' ? { ...part, text: scrub(part.text) } : part));
}
