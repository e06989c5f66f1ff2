/** What made-up people wrote and were answered; the same at every run. */

import type { Analysis } from '../../app/archive/write/analysis.ts';
import type { NewTask } from '../../app/archive/write/tasks.ts';
import type { Event } from '../../app/events.ts';
import type { Attachment } from '../../app/message.ts';
import { scrub } from '../../app/privacy/scrub.ts';

/** One message and its answer. */
export interface Exchange {
  /** As the bot tells the archive of them, in their order. */
  events: Event[];
  /** What a model made of the message; null for the many that are not analysed. */
  found: Found | null;
}

export interface Found {
  /** How the archive names the burst. */
  turn: string;
  analysis: Analysis;
  task: NewTask | null;
}

export interface TrafficOptions {
  /** How many exchanges there will be: they are spread over `DAYS` days. */
  turns: number;
  contacts: number;
  /** When the last one takes place, unix ms. */
  until: number;
}

export const DAYS = 90;
/** Our own number. */
const BUSINESS = '14155238886';
/** One message of a thousand has it. */
export const RARE_WORD = 'elephant';
/** Every fourth message or so has it. */
export const COMMON_WORD = 'delivery';

/** The exchange number `n`, counted from 0. Everybody writes once; after that a few write very much, and most little. */
export function exchangeOf(n: number, { turns, contacts, until }: TrafficOptions): Exchange {
  const index = n < contacts ? n : Math.floor(contacts * share(n, 0) ** 3);
  const at = Math.round(until - DAYS * 86_400_000 * (1 - (n + 1) / turns));
  const [turn, id, contact] = [`bench-${n}`, `SMbench${n}`, contactOf(index)];
  const conversation = `twilio:${BUSINESS}:${contact}`;
  const kind = kindOf(n);
  const words = sentence(n, 1, n % 1_000 === 0 ? [RARE_WORD] : []);
  const text = scrub(kind === 'audio' ? '' : words); // of a voice note the words are its transcript
  const answer = scrub(`About your ${sentence(n, 2, [])}.`);
  const via = share(n, 3) < 0.2 ? ('call' as const) : ('response' as const);
  const answeredAt = at + 800 + Math.floor(share(n, 4) * 4_000);
  const found = share(n, 5) < 0.1 ? foundIn(n, turn, text, at) : null;
  const events: Event[] = [
    {
      type: 'message.received',
      message: {
        ...{
          id,
          channel: 'twilio',
          business: BUSINESS,
          from: contact,
          contact,
          profileName: scrub(nameOf(index)),
          receivedAt: at,
        },
        ...{ text, attachments: kind === null ? [] : [attachment(kind, n)], requestId: turn },
      },
    },
    {
      ...{ type: 'reply.made', conversation, turn, at: answeredAt, answers: [id] },
      reply: { to: contact, parts: [answer], via },
      heard: kind === 'audio' ? [{ id, transcript: scrub(words) }] : [],
      usage: { prompt: 900, completion: 60, cached: 600 },
    },
    {
      ...{ type: 'reply.sent', conversation, turn, at: answeredAt + 100, via },
      sids: via === 'call' ? [`SMreply${n}`] : [],
    },
  ];
  return { events, found };
}

/** A number that is reserved for examples: +1 555 01xx and so on. */
export function contactOf(index: number): string {
  return `155501${String(index).padStart(5, '0')}`;
}

const FIRST_NAMES = 'Ada Bela Carla Dario Edda Fabio Greta Hanno Ines Jonas'.split(' ');
const LAST_NAMES = 'Novak Miller Castro Olsen Rossi Tanaka Weber Dubois Okoro Silva'.split(' ');
/** What one name in ten has in it. */
export const PART_OF_A_NAME = 'ovak';

function nameOf(index: number): string {
  const [first, last] = [FIRST_NAMES[index % 10], LAST_NAMES[Math.floor(index / 10) % 10]];
  return `${first} ${last}`;
}

function kindOf(n: number): 'audio' | 'image' | null {
  const chance = share(n, 6);
  if (chance < 0.06) return 'audio';
  return chance < 0.12 ? 'image' : null;
}

function attachment(kind: 'audio' | 'image', n: number): Attachment {
  return { kind, contentType: kind === 'audio' ? 'audio/ogg' : 'image/jpeg', ref: `bench-${n}` };
}

const USUAL_WORDS = `${COMMON_WORD} invoice table chair lamp garden colour tomorrow morning price address order`.split(
  ' ',
);
const SYLLABLES = 'ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu'.split(' ');

/** 8 to 20 words: every third a usual one, the others of a vocabulary of 8,000. */
function sentence(n: number, salt: number, also: readonly string[]): string {
  const length = 8 + Math.floor(share(n, 10 + salt) * 13);
  const words = Array.from({ length }, (_, i) => {
    const chance = share(n, 100 * salt + i + 20);
    return i % 3 === 0 ? pick(USUAL_WORDS, chance ** 0.7) : madeUp(Math.floor(chance * 8_000));
  });
  return [...words, ...also].join(' ');
}

function madeUp(index: number): string {
  const [a, b, c] = [index % 20, Math.floor(index / 20) % 20, Math.floor(index / 400)];
  return `${SYLLABLES[a]}${SYLLABLES[b]}${SYLLABLES[c]}`;
}

const SENTIMENTS = ['positive', 'neutral', 'negative', 'urgent'] as const;
const TASK_TYPES = ['call', 'email', 'meeting', 'follow_up', 'demo', 'proposal'] as const;

function foundIn(n: number, turn: string, text: string, at: number): Found {
  const analysis: Analysis = {
    summary: `They ask about ${sentence(n, 3, [])}.`,
    sentiment: pick(SENTIMENTS, share(n, 7)),
    intent: 'question',
    language: 'en',
    entities: { people: [], companies: [], dates: ['tomorrow'], amounts: [], products: ['lamp'] },
    full: { reason: 'made up' },
  };
  const type = pick(TASK_TYPES, share(n, 8));
  const task: NewTask = {
    ...{ title: `${type}: ${turn}`, description: text, type, priority: 1 + (n % 5) },
    dueDate: new Date(at + (1 + (n % 14)) * 86_400_000).toISOString().slice(0, 10),
    tags: ['whatsapp', 'auto-generated'],
  };
  return { turn, analysis, task: share(n, 9) < 0.5 ? task : null };
}

function pick<Item>(items: readonly [Item, ...Item[]] | readonly Item[], chance: number): Item {
  const item = items[Math.floor(chance * items.length)];
  if (item === undefined) throw new RangeError('a chance is below 1, and there is something to pick');
  return item;
}

/** What looks like chance, 0 to below 1, and is the same at every run: an integer hash of both numbers. */
function share(n: number, salt: number): number {
  let mixed = Math.imul(n + 1, 0x9e3779b1) ^ Math.imul(salt + 1, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39);
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
}
