/** The rules alone: what is counted is in `test/memory/suspects.test.ts`, what follows from it in `throttled.test.ts`. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isThrottled, judgeSpam, SHOWN_SCORE, THROTTLED_SCORE, traitsOf } from '../../app/conversation/spam.ts';
import type { Counts, Held, Traits } from '../../app/memory/mailbox.ts';
import type { InboundMessage } from '../../app/message.ts';
import { scrub } from '../../app/privacy/scrub.ts';
import { inboundMessage } from '../support/message.ts';

/** The default of RATE_LIMIT_PER_MINUTE. */
const LIMIT = 20;
const NONE: Counts = { minute: 1, messages: 1, sameWords: 0, links: 0, writers: 0, newcomers: 0, recorded: 0 };
const PLAIN: Traits = { words: '', hasLink: false, block: '' };
const LINK: Traits = { ...PLAIN, hasLink: true };

function judge(counts: Partial<Counts>, traits = PLAIN, limit = LIMIT) {
  return judgeSpam({ ...NONE, ...counts }, traits, limit);
}

function withText(text: string, overrides: Partial<InboundMessage> = {}): Traits {
  return traitsOf(inboundMessage({ text: scrub(text), ...overrides }));
}

describe('a customer', () => {
  const customers: [who: string, counts: Partial<Counts>, traits?: Traits][] = [
    ['who writes for the first time', {}],
    ['who writes ten messages in a row', { minute: 10, messages: 10 }],
    ['who writes as fast as the limit allows, for minutes', { minute: 20, messages: 80 }],
    ['who is over the limit for once', { minute: 35, messages: 35 }],
    ['who talks for a whole hour', { minute: 2, messages: 90 }],
    ['who shares a link or two', { links: 2 }, LINK],
    ['who orders by a dozen links', { links: 12, messages: 40 }, LINK],
    ['who asks the same four times', { sameWords: 4, messages: 10 }],
    ['who comes by an advertisement, with the text of all others', { writers: 500, sameWords: 1 }],
    ['who comes by the link of a product page, with the text of all others', { writers: 500, links: 1 }, LINK],
    ['who comes by an advertisement and asks again', { writers: 500, sameWords: 3, links: 3 }, LINK],
    ['from a town whose people come because of a sale', { newcomers: 15, writers: 200 }, LINK],
  ];
  for (const [who, counts, traits] of customers)
    test(`${who} is not noticed`, () => {
      const { score } = judge(counts, traits);
      assert.ok(score < SHOWN_SCORE, `${score}`);
    });

  test('with a number from the middle of a campaign is shown, and answered', () => {
    assert.deepEqual(judge({ newcomers: 100 }), { score: 60, reasons: ['neighbours'] });
    assert.equal(judge({ newcomers: 100, writers: 100, sameWords: 1 }).score, 80);
  });

  test('is judged by no limit that is lower than the default: a low one saves money', () => {
    assert.equal(judge({ minute: 40, messages: 60 }, PLAIN, 1).score, 0);
  });
});

describe('a program', () => {
  const programs: [what: string, counts: Partial<Counts>, traits: Traits, reason: string][] = [
    ['floods within a minute', { minute: 100, messages: 100 }, PLAIN, 'flood'],
    ['floods for an hour, below the limit of a minute', { minute: 15, messages: 200 }, PLAIN, 'flood'],
    ['says the same again and again', { sameWords: 20, messages: 20 }, PLAIN, 'repeats'],
    ['sends nothing but links', { links: 30, messages: 30 }, LINK, 'links'],
    ['sends the same link again and again', { sameWords: 15, links: 15, messages: 15 }, LINK, 'repeats'],
    ['writes the same with a link from a row of numbers', { writers: 20, newcomers: 20 }, LINK, 'neighbours'],
  ];
  for (const [what, counts, traits, reason] of programs)
    test(`that ${what} is throttled`, () => {
      const { score, reasons } = judge(counts, traits);
      assert.ok(score >= THROTTLED_SCORE, `${score}`);
      assert.equal(reasons[0], reason);
    });

  test('that is allowed more is judged by that', () => {
    assert.equal(judge({ minute: 400, messages: 4_000 }, PLAIN, 1_000).score, 0);
    assert.equal(judge({ minute: 5_000, messages: 5_000 }, PLAIN, 1_000).score, 100);
  });
});

test('a score is never above 100, has its reasons, and grows with what is counted', () => {
  const figure = fc.nat(2_000);
  const anyCounts = fc.record({
    minute: figure,
    messages: figure,
    sameWords: figure,
    links: figure,
    writers: figure,
    newcomers: figure,
    recorded: fc.constant(0),
  });
  fc.assert(
    fc.property(anyCounts, fc.boolean(), fc.nat(50), (counts, hasLink, more) => {
      const traits = { ...PLAIN, hasLink };
      const { score, reasons } = judgeSpam(counts, traits, LIMIT);
      assert.ok(score >= 0 && score <= 100);
      assert.equal(score === 0, reasons.length === 0);
      assert.equal(new Set(reasons).size, reasons.length);
      const grown = { ...counts };
      for (const name of Object.keys(counts) as (keyof Counts)[]) grown[name] += more; // what Object.keys gives of this type
      assert.ok(judgeSpam(grown, traits, LIMIT).score >= score);
    }),
  );
});

describe('what is compared', () => {
  test('are texts, whatever their capitals, spaces and punctuation', () => {
    const one = withText('Make money from home, today!').words;
    assert.notEqual(one, '');
    assert.equal(withText('  MAKE money\nfrom home -- today').words, one);
    assert.equal(withText('Ｍake money from home, today').words, one, 'full-width letters');
    assert.notEqual(withText('Make money from home, tomorrow!').words, one);
  });

  test('are no words that everybody repeats', () => {
    for (const text of [
      'ok',
      'Thank you very much',
      '1',
      '',
      '👍👍👍👍👍👍👍👍👍👍👍👍👍👍👍👍👍👍👍👍👍',
      '…'.repeat(50),
    ])
      assert.equal(withText(text).words, '', text);
  });

  test('are no texts that we or an advertisement put there', () => {
    const text = 'I would like to know more about this offer';
    assert.equal(withText(text, { buttonPayload: scrub('more') }).words, '');
    assert.equal(withText(text, { form: scrub('Guests: 4') }).words, '');
    assert.equal(withText(text, { referral: { headline: scrub('Sale') } }).words, '');
    assert.notEqual(withText(text).words, '');
  });

  test('are links, however they are written', () => {
    for (const text of [
      'see https://example.com/x',
      'HTTP://EXAMPLE.COM',
      'www.example.com',
      'join t.me/free',
      'wa.me/1',
    ])
      assert.equal(withText(text).hasLink, true, text);
    for (const text of ['at 9.30, room 2.me', 'e.g. this', 'awww. nice', 'the http protocol'])
      assert.equal(withText(text).hasLink, false, text);
  });

  test('are numbers without their last three digits, and nothing of who has no number', () => {
    assert.equal(withText('hi', { from: '447700900123' }).block, '447700900');
    assert.equal(withText('hi', { from: 'US.1A2B3C' }).block, '');
    assert.equal(withText('hi', { from: '12345' }).block, '');
  });

  test('takes no time to speak of, however long a text is', () => {
    const long = inboundMessage({ text: scrub('w.'.repeat(80_000)) });
    assert.equal(traitsOf(long).hasLink, false);
  });
});

test('whom the team excused is not throttled', () => {
  const held = (throttledUntil: number, excusedUntil: number) => ({ throttledUntil, excusedUntil }) as Held; // all that is read
  assert.equal(isThrottled(held(2_000, 0), 1_000), true);
  assert.equal(isThrottled(held(1_000, 0), 1_000), false);
  assert.equal(isThrottled(held(2_000, 5_000), 1_000), false);
});
