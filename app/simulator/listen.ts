/** The phone's end of `GET /simulator/stream`. */
import type { PhoneEvent } from './stream.ts';

export interface Listening {
  events: AsyncIterable<PhoneEvent>;
  /** Where we are: hand it to the next `listen`, and nothing between the two is missed. */
  readonly lastId: string;
}

/**
 * Opens a contact's stream; resolves when it is open, its events end when the bot stops.
 * @param lastId of an earlier stream: what went out since then comes first.
 * @returns null when there is no simulator at that address (404).
 * @throws what `fetch` throws when the server is down, or an Error that names the status.
 */
export async function listen(origin: string, contact: string, lastId = ''): Promise<Listening | null> {
  const response = await fetch(`${origin}/simulator/stream?contact=${encodeURIComponent(contact)}`, {
    headers: { Accept: 'text/event-stream', ...(lastId ? { 'Last-Event-ID': lastId } : {}) },
  });
  if (response.status === 404) return null;
  if (!response.ok || !response.body) throw new Error(`the stream answered ${response.status}`);
  let reached = lastId;
  const blocks = blocksOf(response.body.pipeThrough(new TextDecoderStream()));
  return {
    get lastId() {
      return reached;
    },
    events: (async function* () {
      for await (const block of blocks) {
        reached = field(block, 'id') ?? reached;
        const data = field(block, 'data');
        // The other end is `stream.ts`, which writes these and nothing else.
        if (data !== undefined) yield JSON.parse(data) as PhoneEvent;
      }
    })(),
  };
}

/** The blocks of an event stream: what stands between empty lines. */
async function* blocksOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of chunks) {
    const blocks = (rest + chunk).split('\n\n');
    rest = blocks.pop() ?? '';
    yield* blocks;
  }
}

function field(block: string, name: string): string | undefined {
  const start = `${name}: `;
  return block
    .split('\n')
    .find((line) => line.startsWith(start))
    ?.slice(start.length);
}
