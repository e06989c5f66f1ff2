/** The model takes its time. In the short version all times are a fraction of the real ones; what is told apart is the same. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_FAILURE_REPLY } from '../../app/config.ts';
import { lastUserText } from '../doubles/model.ts';
import { type Bot, type Doubles, startBot, startDoubles } from '../support/bot.ts';
import { createPeople } from './support/people.ts';
import { overTwilio } from './support/provider.ts';
import { isLong, report } from './support/size.ts';
import { figuresOf, judge, settled } from './support/verdict.ts';

/** In the long version a second is a second. */
const SECOND = isLong ? 1_000 : 150;

/** How long the model takes → what the person gets, and how. */
const CASES: { seconds: number; gets: 'answer' | 'apology' }[] = [
  { seconds: 0, gets: 'answer' },
  { seconds: 14, gets: 'answer' },
  { seconds: 20, gets: 'answer' },
  { seconds: 70, gets: 'apology' },
  { seconds: Number.POSITIVE_INFINITY, gets: 'apology' },
];

/** How long a webhook waits for its answer, ms. */
const DEADLINE_MS = Math.round(12 * SECOND);

/** A timer, and the two clocks that are compared, are not more exact, ms. */
const TIMER_MS = 100;

let doubles: Doubles;
let bot: Bot;

before(async () => {
  doubles = await startDoubles();
  bot = await startBot(doubles, {
    TWIML_DEADLINE_MS: String(DEADLINE_MS),
    OPENAI_TIMEOUT_MS: String(Math.round(60 * SECOND)),
    LEASE_MS: isLong ? '30000' : '1000',
    LOG_LEVEL: 'info',
  });
});

after(async () => {
  await bot.stop();
  await doubles.stop();
});

test('a model at 14 s, 20 s, 70 s and never: exactly one answer or one apology, by the expected way', {
  timeout: 180_000,
}, async (t) => {
  const people = createPeople(CASES.length, { provider: overTwilio(doubles.twilio), route: () => bot.url });
  doubles.model.answer = async (request) => {
    const text = lastUserText(request);
    const { seconds = 0 } = CASES[Number(/c(\d+)/.exec(text)?.[1])] ?? {};
    // Nobody waits for what never comes; the double would wait with it.
    await sleep(Math.min(seconds, 90) * SECOND, undefined, { ref: false });
    return `Answer to ${text}`;
  };
  await Promise.all(people.map((person) => person.write()));
  const client = doubles.redis.client();
  await settled(client, 120_000);
  // What the model says too late must not become a second answer.
  await sleep(40 * SECOND);

  const sentTo = people.map(({ phone }) => doubles.twilio.sent.filter(({ to }) => to === `whatsapp:+${phone}`));
  const verdict = await judge(people, client, overTwilio(doubles.twilio));
  report(t, figuresOf(verdict));
  assert.deepEqual(
    sentTo.map((messages) => messages.map(({ body }) => body)),
    CASES.map(({ gets }, i) => [gets === 'answer' ? `Answer to c${i}m0` : DEFAULT_FAILURE_REPLY]),
  );
  const waitedMs = people.map(({ sent }) => sent[0]?.tries[0]?.tookMs ?? 0);
  const [quick, ...slow] = sentTo.map(([message]) => message?.direction);
  // On a machine that stands still, the quick model is slow, too, or the webhook is refused and comes again.
  const [first, ...more] = people[0]?.sent[0]?.tries ?? [];
  const wasQuick = first !== undefined && more.length === 0 && first.tookMs < DEADLINE_MS - TIMER_MS;
  if (wasQuick) assert.equal(quick, 'outbound-reply');
  assert.deepEqual(new Set(slow), new Set(['outbound-api']));
  for (const ms of waitedMs.slice(1)) assert.ok(ms >= DEADLINE_MS, 'a slow model is waited for');
  assert.deepEqual(verdict.complaints, []);
  const slowest = people.flatMap(({ sent }) => sent.flatMap(({ tries }) => tries)).map(({ tookMs }) => tookMs);
  assert.ok(Math.max(...slowest) < 15_000, 'Twilio never waits longer than it does');
});
