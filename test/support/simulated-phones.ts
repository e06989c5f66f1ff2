/** The phones of the simulator, as its page holds them: they write by its API, and all that happens is in its stream. */
import assert from 'node:assert/strict';
import type { PageEvent, Sent, Written } from '../../app/simulator/contract.ts';
import { eventually } from './bot.ts';

type Of<Type extends PageEvent['type']> = Extract<PageEvent, { type: Type }>;

export type Phones = Awaited<ReturnType<typeof switchOn>>;
export type Somebody = ReturnType<Phones['somebody']>;

/** A message as the API takes it: a file is named by its id. */
type Sendable = Partial<Omit<Written, 'media'>> & { media?: string };

let next = 15550100300;

/** @param origin of the bot */
export async function switchOn(origin: string) {
  const { events, stop } = await follow(origin);
  return { events, stop, call, ask, upload, somebody };

  function call(path: string, method = 'GET', body?: unknown, headers: Record<string, string> = {}) {
    const json = body === undefined ? {} : { body: JSON.stringify(body) };
    return fetch(`${origin}/simulator/api${path}`, {
      method,
      headers: { 'Content-Type': 'application/json', ...headers },
      ...json,
    });
  }

  // What the routes answer is written down in the contract.
  async function ask<Answer>(path: string, method = 'GET', body?: unknown): Promise<Answer> {
    const response = await call(path, method, body);
    assert.ok(response.ok, `${method} ${path} answered ${response.status}`);
    return (await response.json()) as Answer;
  }

  async function upload(bytes: Uint8Array, type: string): Promise<Response> {
    const headers = { 'Content-Type': 'application/octet-stream' };
    return fetch(`${origin}/simulator/api/media?type=${encodeURIComponent(type)}&name=file`, {
      method: 'POST',
      headers,
      body: Buffer.from(bytes),
    });
  }

  /** Somebody new, with what happens on their phone. @param always what every message of theirs has */
  function somebody(always: Sendable = {}) {
    const contact = always.contact ?? String(next++);
    const own = <Type extends PageEvent['type']>(type: Type) =>
      // Filtered by its type.
      events.filter((event) => event.contact === contact && event.type === type) as Of<Type>[];
    return {
      contact,
      events: own,
      order: () => events.filter((event) => event.contact === contact).map(({ type }) => type),
      write: (text: string, rest: Sendable = {}) =>
        ask<Sent>('/messages', 'POST', { profileName: 'Somebody', text, ...always, contact, ...rest }),
      answered: (count = 1) => eventually(`${count} answers`, () => own('answer').length >= count),
    };
  }
}

/** A page's stream. */
export async function follow(origin: string, lastId = '') {
  const closing = new AbortController();
  const headers = lastId ? { 'Last-Event-ID': lastId } : {};
  const response = await fetch(`${origin}/simulator/api/events`, { headers, signal: closing.signal });
  assert.equal(response.status, 200);
  const events: PageEvent[] = [];
  let [resets, ready] = [0, false];
  const reading = (async () => {
    let rest = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const blocks = (rest + chunk).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        if (block.startsWith('event: reset')) resets++;
        else if (block.startsWith('event: ready')) ready = true;
        else if (block.startsWith('id: '))
          events.push(JSON.parse(block.slice(block.indexOf('data: ') + 6)) as PageEvent); // the stream's own
      }
    }
  })();
  reading.catch(() => {}); // it was closed
  return { events, resets: () => resets, ready: () => ready, stop: () => closing.abort() };
}
