/**
 * What models were used for, and what that cost. A turn's uses travel in the event that makes it final, so that they cost no command of
 * their own; what is left of a turn is published when it ends. The archive keeps them, see `archive/write/costs.ts`.
 */
import { encodeEvent, type ModelUse } from '../events.ts';
import type { Publish } from '../memory/publish.ts';
import { repeated } from '../memory/redis.ts';
import { type ContactId, conversationOf, type SpentOn } from '../message.ts';
import { newId } from '../ops/id.ts';
import type { Log } from '../ops/logger.ts';
import type { Budget } from './budget.ts';
import type { Prices, Usage } from './prices.ts';

/** One call of a model. */
export interface Spent extends Usage {
  on: SpentOn;
  purpose: ModelUse['purpose'];
  model: string;
}

export interface Ledger {
  /** Counts a call of a model, whether something came of it or not. */
  used(spent: Spent): void;
  /** What a turn used that no event has told yet. It stays until `told`. */
  of(turn: string): ModelUse[];
  /** These are in an event that became final. */
  told(turn: string, uses: readonly ModelUse[]): void;
  /** Publishes what is left of a turn. Never rejects. */
  end(on: SpentOn): Promise<void>;
}

export interface LedgerOptions {
  prices: Prices;
  budget: Pick<Budget, 'spend'>;
  /** Counts tokens against what the contact may use in a day. */
  allow: (contact: ContactId, tokens: number) => Promise<void>;
  publish: Publish;
  /** Unix ms. */
  now: () => number;
  log: Log;
}

export function createLedger({ prices, budget, allow, publish, now, log }: LedgerOptions): Ledger {
  const untold = new Map<string, ModelUse[]>();
  const unknown = new Set<string>();
  return { used, of, told, end };

  function used({ on, purpose, model, ...usage }: Spent): void {
    const at = now();
    const { tokens, audioMs } = sensible(usage);
    const cost = prices.costOf(model, { tokens, audioMs });
    if (cost) budget.spend(at, cost);
    else if (!prices.knows(model)) warnOf(model);
    const use: ModelUse = {
      id: newId(),
      at,
      purpose,
      model,
      ...(tokens ? { tokens } : {}),
      ...(audioMs === undefined ? {} : { audioMs }),
      cost,
    };
    untold.set(on.turn, [...of(on.turn), use]);
    const count = tokens ? tokens.prompt + tokens.completion : 0;
    if (count === 0) return;
    const { contact } = conversationOf(on.conversation);
    allow(contact, count).catch((error) => log.warn('Tokens were not counted', { error }));
  }

  function of(turn: string): ModelUse[] {
    return untold.get(turn) ?? [];
  }

  function told(turn: string, uses: readonly ModelUse[]): void {
    const left = of(turn).filter((use) => !uses.includes(use));
    if (left.length > 0) untold.set(turn, left);
    else untold.delete(turn);
  }

  async function end({ conversation, turn }: SpentOn): Promise<void> {
    const uses = of(turn);
    if (uses.length === 0) return;
    untold.delete(turn);
    const event = encodeEvent({ type: 'models.used', conversation, turn, at: now(), uses });
    const { contact } = conversationOf(conversation);
    await repeated(() => publish(contact, event)).catch((error) =>
      log.warn('What models cost was not recorded', { turn, uses: uses.length, error }),
    );
  }

  /** Once in the life of a process. */
  function warnOf(model: string): void {
    if (unknown.has(model)) return;
    unknown.add(model);
    log.warn('A model has no price: what it costs is not counted. Add it to the file that MODEL_PRICES names.', {
      model,
    });
  }
}

/** A server may say anything. What it did not count at all is left out: then nobody knows the price. */
function sensible({ tokens, audioMs }: Usage): Usage {
  const counted = tokens && {
    prompt: whole(tokens.prompt),
    completion: whole(tokens.completion),
    cached: whole(tokens.cached),
    ...(tokens.cacheWrites ? { cacheWrites: whole(tokens.cacheWrites) } : {}),
  };
  return {
    ...(counted && counted.prompt + counted.completion > 0 ? { tokens: counted } : {}),
    ...(audioMs !== undefined && Number.isFinite(audioMs) ? { audioMs: whole(audioMs) } : {}),
  };
}

/** What the archive's columns hold. */
const MOST = 2 ** 31 - 1;

function whole(count: number): number {
  return Math.min(Math.max(0, Math.round(count) || 0), MOST);
}
