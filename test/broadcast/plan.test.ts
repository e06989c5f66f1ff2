import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Permission } from '../../app/archive/read/broadcasts.ts';
import { createAccountState } from '../../app/broadcast/account.ts';
import { quietFor, readQuietHours, readTime, writeQuietHours } from '../../app/broadcast/hours.ts';
import { outcomeOf } from '../../app/broadcast/outcome.ts';
import { type Pace, refill } from '../../app/broadcast/pace.ts';
import { type PlanOptions, plan } from '../../app/broadcast/plan.ts';
import { digitsOf, readRecipient } from '../../app/broadcast/recipient.ts';
import { type Entry, readSheet } from '../../app/broadcast/sheet.ts';
import { Failure, type FailureCode } from '../../app/errors.ts';

const ANA = '15550100101';
const BEN = '15550100102';
const CLEO = '15550100103';
const DORA = '15550100105';

async function listOf<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe('a recipient', () => {
  test('is a number with its country code, however it is written, or the id of somebody without one', () => {
    for (const given of ['+15550100101', '15550100101', '0015550100101', 'whatsapp:+1 (555) 010-0101'])
      assert.equal(readRecipient(given)?.address, ANA, given);
    assert.equal(readRecipient('US.1A2B3C')?.address, 'US.1A2B3C');
    for (const given of ['', 'Ana', '12345', '0155501001', '1234567890123456', '+1555x0100101'])
      assert.equal(readRecipient(given), null, given);
  });

  test('is named in an answer by its digits, or as it was written when it has none', () => {
    assert.equal(digitsOf('+1 (555) 010-0101'), ANA);
    assert.equal(digitsOf('nobody'), 'nobody');
  });
});

describe('a list as CSV', () => {
  async function entriesOf(text: string): Promise<{ columns: string[]; entries: Entry[] }> {
    const { columns, entries } = await readSheet(Buffer.from(text));
    return { columns, entries: await listOf(entries) };
  }

  test('has a header that names the number and the variables; commas, semicolons or tabs', async () => {
    const expected = [
      { number: ANA, variables: { first_name: 'Ana', '1': 'a, b' } },
      { number: BEN, variables: { first_name: 'Bén "B"', '1': '' } },
    ];
    for (const separator of [',', ';', '\t']) {
      const lines = [
        `Phone${separator}first_name${separator}1`,
        `${ANA}${separator}Ana${separator}"a, b"`,
        '',
        `${BEN}${separator}"Bén ""B"""${separator}`,
      ];
      assert.deepEqual(await entriesOf(`\ufeff${lines.join('\r\n')}`), {
        columns: ['first_name', '1'],
        entries: expected,
      });
    }
  });

  test('keeps lines with too few or too many cells', async () => {
    const { entries } = await entriesOf(`number,name\n${ANA}\n${BEN},Ben,more\n,\n`);
    assert.deepEqual(entries, [
      { number: ANA, variables: { name: '' } },
      { number: BEN, variables: { name: 'Ben' } },
    ]);
  });

  test('is refused with a sentence when it has no such header, or is no CSV', async () => {
    const refused = (text: string, words: RegExp) =>
      assert.rejects(entriesOf(text), (error) => error instanceof Failure && words.test(error.message));
    await refused('', /first line/);
    await refused(`${ANA}\n${BEN}`, /first line/);
    await refused('number,name,name\n1,2,3', /same name/);
    await refused(`number,name\n${ANA},"Ana\n${'x'.repeat(200_000)}`, /no CSV/);
  });
});

describe('the plan', () => {
  const permissions = new Map<string, Permission>([
    [BEN, { blocked: true, optedOut: false, optedIn: false, noMarketing: false, failedWith: [] }],
    [CLEO, { blocked: false, optedOut: true, optedIn: false, noMarketing: false, failedWith: [] }],
    [ANA, { blocked: false, optedOut: false, optedIn: true, noMarketing: true, failedWith: [] }],
    [DORA, { blocked: false, optedOut: false, optedIn: false, noMarketing: false, failedWith: ['131049', '131026'] }],
  ]);
  async function planned(entries: readonly Entry[], overrides: Partial<PlanOptions> = {}) {
    const options: PlanOptions = {
      permissionsOf: async (addresses) => new Map([...permissions].filter(([address]) => addresses.includes(address))),
      requiresOptIn: false,
      isMarketing: false,
      holds: (code) => code === '131049',
      needed: null,
      defaults: {},
      ...overrides,
    };
    return (await listOf(plan(entries, options))).flat();
  }
  const to = (...numbers: string[]) => numbers.map((number) => ({ number, variables: {} }));

  test('skips doubles, who is blocked or opted out, and what is no number; in the order of the list', async () => {
    const rows = await planned(to(`+${ANA}`, BEN, CLEO, 'nobody', ANA, '15550100104'));
    assert.deepEqual(
      rows.map(({ state, reason }) => reason ?? state),
      ['waiting', 'blocked', 'opted_out', 'invalid', 'double', 'waiting'],
    );
    assert.equal(rows[3]?.note, 'Invalid phone number');
  });

  test('skips who has not agreed, when that is required', async () => {
    const rows = await planned(to(ANA, '15550100104'), { requiresOptIn: true });
    assert.deepEqual(
      rows.map(({ reason }) => reason),
      [null, 'no_opt_in'],
    );
  });

  test('skips who wants no marketing, when the template is marketing', async () => {
    assert.equal((await planned(to(ANA), { isMarketing: true }))[0]?.reason, 'opted_out');
    assert.equal((await planned(to(ANA)))[0]?.reason, null);
  });

  test('skips to whom WhatsApp held marketing back lately, when the template is marketing', async () => {
    assert.equal((await planned(to(DORA), { isMarketing: true }))[0]?.reason, 'held');
    assert.equal((await planned(to(DORA)))[0]?.reason, null);
  });

  test('fills in what an entry leaves out, on one line, and skips who lacks a value', async () => {
    const entries = [
      { number: ANA, variables: { name: 'Ana\n Maria', day: ' ' } },
      { number: '15550100104', variables: { name: '' } },
    ];
    const rows = await planned(entries, { needed: ['name', 'day'], defaults: { day: 'Monday' } });
    assert.deepEqual(rows[0]?.variables, { name: 'Ana Maria', day: 'Monday' });
    assert.deepEqual([rows[1]?.reason, rows[1]?.note], ['variables', 'No value for name.']);
  });

  test('finds doubles over all of a long list', async () => {
    const numbers = Array.from({ length: 3_000 }, (_, i) => String(15_550_200_000 + (i % 1_500)));
    const rows = await planned(to(...numbers));
    assert.equal(rows.filter(({ state }) => state === 'waiting').length, 1_500);
    assert.equal(rows.filter(({ reason }) => reason === 'double').length, 1_500);
  });
});

describe('quiet hours', () => {
  const HOUR = 3_600_000;

  test('go over midnight, by the clocks of the time zone', () => {
    const hours = readQuietHours('21:00-08:00');
    const at = (time: string) => quietFor(hours, Date.parse(time), 'Europe/Madrid');
    assert.equal(at('2026-11-28T19:59:00Z'), 0);
    assert.equal(at('2026-11-28T20:00:00Z'), 11 * HOUR);
    assert.equal(at('2026-11-29T06:59:30Z'), 30_000);
    assert.equal(at('2026-11-29T07:00:00Z'), 0);
    assert.equal(quietFor(null, Date.parse('2026-11-28T23:00:00Z'), 'UTC'), 0);
    assert.equal(quietFor(readQuietHours('12:00-14:00'), Date.parse('2026-11-28T12:30:00Z'), 'UTC'), 1.5 * HOUR);
  });

  test('are read and written as people write them', () => {
    assert.equal(writeQuietHours(readQuietHours(' 9:05 - 17:00 ') ?? assert.fail('they are not read')), '09:05-17:00');
    for (const given of ['', '21:00', '24:00-08:00', '21:60-08:00', '08:00-08:00'])
      assert.equal(readQuietHours(given), null);
  });
});

test('a time is exact, or one by the clocks of the time zone', () => {
  const read = (given: string) => {
    const at = readTime(given, 'America/New_York');
    return at === null ? null : new Date(at).toISOString();
  };
  assert.equal(read('2026-12-01T09:00:00Z'), '2026-12-01T09:00:00.000Z');
  assert.equal(read('2026-12-01T09:00+01:00'), '2026-12-01T08:00:00.000Z');
  assert.equal(read('2026-12-01T09:00'), '2026-12-01T14:00:00.000Z');
  assert.equal(read('2026-07-01 09:00'), '2026-07-01T13:00:00.000Z');
  // Clocks go from 2:00 to 3:00 on that day, and back from 2:00 to 1:00 on the other.
  assert.equal(read('2026-03-08T02:30'), '2026-03-08T07:30:00.000Z');
  assert.equal(read('2026-11-01T03:00'), '2026-11-01T08:00:00.000Z');
  for (const given of ['', 'tomorrow', '2026-13-01T09:00', '2026-12-01', '1764288000000'])
    assert.equal(read(given), null);
});

describe('the pace', () => {
  const fresh: Pace = { tokens: 1, rate: 0, filledAt: 0, grownAt: 0, heldUntil: 0, heldFor: null };

  /** Takes all it may every 100 ms. @returns how many in each second */
  function run(seconds: number, perSecond: number, start = fresh): number[] {
    let pace = start;
    return Array.from({ length: seconds }, (_, second) => {
      let sent = 0;
      for (let tick = 0; tick < 10; tick++) {
        pace = refill(pace, 1_000_000 + second * 1_000 + tick * 100, { perSecond });
        const taken = Math.floor(pace.tokens);
        pace = { ...pace, tokens: pace.tokens - taken };
        sent += taken;
      }
      return sent;
    });
  }

  test('begins slowly, doubles, and never passes the limit', () => {
    const sent = run(20, 80);
    assert.ok((sent[0] ?? 0) <= 6, `${sent}`);
    assert.ok(
      sent.every((count) => count <= 80),
      `${sent}`,
    );
    assert.ok(
      sent.slice(-5).every((count) => count >= 70),
      `${sent}`,
    );
    assert.ok(run(20, 2).every((count) => count <= 3));
  });

  test('begins slowly again after a minute without a message', () => {
    const fast: Pace = { ...fresh, rate: 80, filledAt: 1_000_000 - 61_000, tokens: 20 };
    assert.deepEqual(
      [refill(fast, 1_000_000, { perSecond: 80 }).rate, refill(fast, 1_000_000, { perSecond: 80 }).tokens],
      [5, 1],
    );
  });

  test('does not make up for a moment in which nothing was sent', () => {
    const fast: Pace = { ...fresh, rate: 80, filledAt: 1_000_000 - 30_000, grownAt: 1_000_000 };
    assert.equal(refill(fast, 1_000_000, { perSecond: 80 }).tokens, 8);
  });
});

describe('a try that failed', () => {
  const of = (code: FailureCode, facts: Partial<Parameters<typeof outcomeOf>[2]> = {}) =>
    outcomeOf(new Failure(code, 'why'), 'why', { tries: 1, scope: null, templateIsUsable: true, ...facts });

  test('stops the broadcast when the account, the number or the template is at fault', () => {
    for (const code of ['channel.credentials', 'channel.sender', 'channel.daily_limit'] as const)
      assert.equal(of(code).kind, 'stop', code);
    assert.equal(of('channel.rate_limited', { scope: 'account' }).kind, 'stop');
    assert.equal(of('channel.template', { scope: 'template' }).kind, 'stop');
    assert.equal(of('channel.template', { templateIsUsable: false }).kind, 'stop');
  });

  test('is the row’s alone when the person or a value is at fault', () => {
    assert.equal(of('channel.recipient').kind, 'failed');
    assert.equal(of('channel.template', { scope: 'message', templateIsUsable: false }).kind, 'failed');
    assert.deepEqual(of('channel.blocked'), { kind: 'skipped', reason: 'blocked', note: 'why' });
    assert.deepEqual(of('channel.opted_out'), { kind: 'skipped', reason: 'opted_out', note: 'why' });
  });

  test('waits longer and longer when the provider asks to; too much for one person slows nobody else', () => {
    const first = of('channel.rate_limited');
    assert.deepEqual(
      [first.kind, 'slow' in first && first.slow, 'waitMs' in first && first.waitMs],
      ['again', true, 5_000],
    );
    const third = of('channel.rate_limited', { tries: 3 });
    assert.equal('waitMs' in third && third.waitMs, 20_000);
    const pair = of('channel.rate_limited', { scope: 'person', tries: 2 });
    assert.deepEqual(['slow' in pair && pair.slow, 'waitMs' in pair && pair.waitMs], [false, 16_000]);
    assert.equal(of('channel.unreachable', { tries: 12 }).kind, 'failed');
  });

  test('is asked about when nobody knows whether it was sent, and at last told so', () => {
    const asked = of('channel.ambiguous');
    assert.equal(asked.kind === 'unclear' && asked.isLast, false);
    const last = of('channel.ambiguous', { tries: 4 });
    assert.equal(last.kind === 'unclear' && last.isLast, true);
    assert.equal(outcomeOf(new Error('a bug'), '', { tries: 1, scope: null, templateIsUsable: true }).kind, 'unclear');
  });
});

test('what a provider told of the account or the template keeps broadcasts from being sent', async () => {
  const told = { restriction: null as string | null, state: null as string | null, limit: null as number | null };
  const account = createAccountState({
    restriction: async () => told.restriction,
    template: async () => told.state,
    dailyLimit: async () => told.limit,
  });
  const refusal = () => account.refusal('meta', { name: 'welcome', language: 'en' });
  assert.equal(await refusal(), null);
  told.state = 'PAUSED';
  assert.deepEqual(await refusal(), {
    code: 'channel.template',
    reason: 'The template welcome is paused by WhatsApp.',
  });
  told.state = 'APPROVED';
  assert.equal(await refusal(), null);
  told.restriction = 'RESTRICTED_BIZ_INITIATED_MESSAGING';
  assert.equal((await refusal())?.code, 'channel.sender');
  told.limit = 2_000;
  assert.equal(await account.perDay('meta'), 2_000);
  told.limit = Number.POSITIVE_INFINITY;
  assert.equal(await account.perDay('meta'), null);
});
