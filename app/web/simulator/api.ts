/** What the page asks of the simulator. Everything rejects with an Error whose message can be shown. */
import type {
  Batch,
  Faults,
  MediaFile,
  People,
  Routing,
  Sent,
  StoredMemory,
  Written,
} from '../../simulator/contract.ts';

const API = '/simulator/api';

export const EVENTS_URL = `${API}/events`;

export function mediaUrl(id: string): string {
  return `${API}/media/${id}`;
}

export function people(): Promise<People> {
  return ask('/people');
}

export function write(written: Written): Promise<Sent> {
  return ask('/messages', 'POST', { ...written, ...(written.media ? { media: written.media.id } : {}) });
}

export function writeAll({ messages, order }: Batch): Promise<Sent[]> {
  return ask('/batch', 'POST', { messages, order });
}

export function repeat(sid: string): Promise<Sent> {
  return ask(`/messages/${sid}/repeat`, 'POST', {});
}

export function upload(file: File): Promise<MediaFile> {
  const query = new URLSearchParams({ type: file.type || 'application/octet-stream', name: file.name.slice(0, 200) });
  return send(`/media?${query}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/octet-stream' },
    body: file,
  });
}

export function faults(): Promise<Faults> {
  return ask('/faults');
}

export function setFaults(next: Faults): Promise<Faults> {
  return ask('/faults', 'PUT', next);
}

/** Whether another responder answers them, beside the bot. */
export function route(routing: Routing): Promise<Routing> {
  return ask('/routing', 'PUT', routing);
}

export function memory(contact: string): Promise<StoredMemory> {
  return ask(`/memory?${new URLSearchParams({ contact })}`);
}

export function forget(contact: string): Promise<void> {
  return ask('/forget', 'POST', { contact });
}

function ask<Answer>(path: string, method = 'GET', body?: object): Promise<Answer> {
  const json =
    body === undefined ? {} : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  return send(path, { method, ...json });
}

async function send<Answer>(path: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(API + path, init).catch(() => {
    throw new Error('The bot is not there. Is it still running?');
  });
  // The other end is `simulator/routes.ts`, which answers as its contract says.
  if (response.ok) return (response.status === 204 ? undefined : await response.json()) as Answer;
  throw new Error(TROUBLE[response.status] ?? `The simulator answered ${response.status}.`);
}

const TROUBLE: Record<number, string> = {
  400: 'The simulator does not take this. Is the file still there, and the number right?',
  413: 'That is too large.',
  503: 'The bot is stopping, or its store is away. Try again in a moment.',
};
