import { contactIdOf } from '../contacts/addresses.ts';
import { encodeEvent } from '../events.ts';
import { conversationId, type DeliveryStatus } from '../message.ts';
import type { MemoryParts } from './memory.ts';

/** What a provider reported of a message that we sent goes to the archive. */
export async function recordStatus(
  { publish, clock }: Pick<MemoryParts, 'publish' | 'clock'>,
  status: DeliveryStatus,
): Promise<void> {
  const { channel, business, to } = status;
  const contact = contactIdOf(to);
  const conversation = conversationId({ channel, business, contact });
  await publish(contact, encodeEvent({ type: 'delivery.changed', conversation, at: clock.now(), status }));
}
