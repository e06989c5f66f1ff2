/**
 * Webhooks of recorded shapes with one field spoilt at a time, by both ways an answer takes: in the response, and by calls. Whatever it is,
 * it is no error of ours, and what somebody sent is in the inbox.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { sign } from '../../app/channels/twilio/signature.ts';
import { newSid } from '../doubles/twilio.ts';
import { startDesk, type TestDesk } from '../inbox/desk.ts';
import { AUTH_TOKEN, type Bot, eventually, startBot } from '../support/bot.ts';
import { isLong } from './support/size.ts';

type Pair = [name: string, value: string];

const { samples } = JSON.parse(readFileSync('test/fixtures/twilio-inbound.json', 'utf8')) as {
  samples: Record<string, Record<string, string>>;
};
const MESSAGES = Object.entries(samples).filter(([name]) => !name.startsWith('status'));
const STATUSES = Object.entries(samples).filter(([name]) => name.startsWith('status'));

/** Each makes of one field what may come instead of it. */
const SPOILT: Record<string, (pair: Pair) => Pair[]> = {
  missing: () => [],
  empty: ([name]) => [[name, '']],
  doubled: (pair) => [pair, [pair[0], 'a second value']],
  huge: ([name]) => [[name, 'x'.repeat(12_000)]],
  arabic: ([name]) => [[name, 'مرحبا ١٢٣ ‏שלום']],
  chinese: ([name]) => [[name, '我想预约明天下午三点 🎉👩‍👩‍👧']],
  unprintable: ([name]) => [[name, 'a\u0000b\u0007\ud800c\u202e%00\r\nX: y']],
  'like a number': ([name]) => [[name, '-1e309']],
  'like JSON': ([name]) => [[name, '{"__proto__":{"x":1},"a":[[[[]]]]}']],
};

describe('spoilt webhooks', () => {
  let desk: TestDesk;
  let late: Bot;
  let people = 0;

  before(async () => {
    desk = await startDesk();
    late = await startBot(desk.doubles, { TWIML_DEADLINE_MS: '0', STATUS_CALLBACKS: 'false' });
    desk.recorder.start();
  });
  after(async () => {
    await late?.stop();
    await desk?.stop();
  });

  async function post(bot: { url: string }, path: string, pairs: readonly Pair[]): Promise<number> {
    const url = bot.url + path;
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/x-www-form-urlencoded; charset=UTF-8',
        'X-Twilio-Signature': sign(AUTH_TOKEN, url, new URLSearchParams([...pairs])),
      },
      body: new URLSearchParams([...pairs]).toString(),
    });
    await response.arrayBuffer();
    return response.status;
  }

  /** The recorded form as one that somebody new sends. */
  function fresh(form: Record<string, string>): { from: string; pairs: Pair[] } {
    const from = `1555010${String(++people).padStart(4, '0')}`;
    const sid = newSid('SM');
    const own: Record<string, string> = {
      From: `whatsapp:+${from}`,
      WaId: from,
      ExternalUserId: `whatsapp:US.id${from}`,
      MessageSid: sid,
      SmsMessageSid: sid,
      SmsSid: sid,
    };
    return { from, pairs: Object.entries(form).map(([name, value]): Pair => [name, own[name] ?? value]) };
  }

  test('keep everything that somebody sent', async () => {
    const jobs: { what: string; from: string; pairs: Pair[]; isNobodys: boolean }[] = [];
    for (const [shape, form] of MESSAGES) {
      for (const field of Object.keys(form)) {
        for (const [way, spoil] of Object.entries(SPOILT)) {
          const { from, pairs } = fresh(form);
          const spoilt = pairs.flatMap((pair) => (pair[0] === field ? spoil(pair) : [pair]));
          // Nobody can be answered or shown without an address.
          const isNobodys = field === 'From' && way !== 'doubled';
          jobs.push({ what: `${shape}: ${field} ${way}`, from, pairs: spoilt, isNobodys });
        }
      }
    }
    // Every way and every field occur in each third; one of them is the test, and the long run takes all.
    const chosen = isLong ? jobs : jobs.filter((_, i) => i % 3 === 0);
    const refused: string[] = [];
    const wanted = new Map<string, string>();
    await pooled(chosen, 8, async ({ what, from, pairs, isNobodys }, i) => {
      const send = () => post(i % 2 === 0 ? desk.bot : late, '/whatsapp', pairs);
      // On a busy machine Redis may be late; a provider repeats what got 503.
      const status = await send().then((first) => (first === 503 ? sleep(2_000).then(send) : first));
      if (isNobodys ? status >= 500 : status !== 200) refused.push(`${status} ${what}`);
      if (!isNobodys) wanted.set(from, what);
    });
    assert.deepEqual(refused, []);
    assert.ok(wanted.size > 300, `${wanted.size} webhooks`);
    const missing = async () => {
      const { rows } = await desk.database.run((db) =>
        sql<{
          from: string;
        }>`select distinct from_number as from from whatsapp_messages where direction = 'inbound'`.execute(db),
      );
      const seen = new Set(rows.map((row) => row.from.replace('+', '')));
      return [...wanted].filter(([from]) => !seen.has(from)).map(([, what]) => what);
    };
    await eventually('all are archived', async () => (await missing()).length === 0).catch(() => {});
    assert.deepEqual(await missing(), []);
    const { status, body } = await desk.ask('GET', '/api/whatsapp/inbox?limit=200');
    assert.deepEqual([status, body.count], [200, 200]);
  });

  test('of what became of an answer are no error either', async () => {
    const refused: string[] = [];
    for (const [shape, form] of STATUSES) {
      for (const field of Object.keys(form)) {
        for (const [way, spoil] of Object.entries(SPOILT)) {
          const pairs = Object.entries(form).flatMap((pair): Pair[] => (pair[0] === field ? spoil(pair) : [pair]));
          const status = await post(desk.bot, '/twilio/status', pairs);
          if (status >= 500) refused.push(`${status} ${shape}: ${field} ${way}`);
        }
      }
    }
    assert.deepEqual(refused, []);
  });
});

async function pooled<Job>(jobs: readonly Job[], atOnce: number, run: (job: Job, i: number) => Promise<void>) {
  let next = 0;
  const work = async () => {
    for (let i = next++; i < jobs.length; i = next++) await run(jobs[i] as Job, i);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}
