/** Tools to look into the bot: the simulator imports none of its folders. */
import type { StoredMemory } from './contract.ts';

/** The store's side of the developers' drawer. Both reject when the store cannot be asked. */
export interface InspectMemory {
  /** @param address the person's, without `+` */
  memoryOf(address: string): Promise<StoredMemory>;
  /** Deletes everything that is remembered of a contact, including waiting messages and the lease. */
  forget(address: string): Promise<void>;
}

export interface InspectTools {
  countTokens(text: string): number;
  /** Whether a system message asks for a summary rather than an answer. */
  asksForSummary(system: string): boolean;
  /** Size and main colours of a picture, in words: "a picture of 640 × 480 pixels, mostly dark green and white". */
  describePicture(bytes: Buffer): Promise<string>;
  /** How long a recording is, seconds; null when it is not known. */
  secondsOf(bytes: Buffer): number | null;
}
