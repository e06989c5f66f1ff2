/** What Meta posts beside messages to us, as it is read. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Inbound } from '../../../app/channels/meta/inbound.ts';
import { readBatch } from '../../../app/channels/meta/parse.ts';
import type { Report } from '../../../app/message.ts';
import { findLeaks } from '../../../app/privacy/scrub.ts';
import { batchOf, changeOf, handoverOf, metaMessage, NUMBER, PHONE_NUMBER_ID } from '../../support/meta.ts';

const NOW = 1_790_000_000_000;
const ANA = '15550100101';

function read(batch: unknown, ids: readonly string[] = [PHONE_NUMBER_ID]): Inbound[] {
  const only = ids.length === 1 ? ids[0] : undefined;
  const numbers = { only, isOurs: (id: string) => ids.includes(id), numberOf: () => undefined, learn: () => {} };
  return readBatch(batch, { receivedAt: NOW, requestId: 'request', numbers });
}

function reportsIn(batch: unknown, ids?: readonly string[]): Report[] {
  return read(batch, ids).flatMap((event) => (event.kind === 'report' ? event.report : []));
}

function newsIn(field: string, value: object, at = NOW - 5_000) {
  return reportsIn(changeOf(field, value, at)).flatMap((report) => (report.kind === 'news' ? report.news : []));
}

describe('who owns a thread', () => {
  const routeOf = (batch: object) => {
    const [event] = read(batch);
    return event?.kind === 'message' ? event.message.route : undefined;
  };
  const timestamp = String(NOW / 1_000 - 30);

  test('shows in the field that a message comes in, by its own stamp', () => {
    const messages = [metaMessage(ANA, { timestamp })];
    assert.deepEqual(routeOf(batchOf({ messages })), { owner: 'us', at: NOW - 30_000 });
    assert.deepEqual(routeOf(batchOf({ field: 'standby', standby: { messages } })), {
      owner: 'other',
      at: NOW - 30_000,
    });
    assert.equal(routeOf(batchOf({ field: 'smb_something', messages })), undefined);
  });

  test('is not said by a stamp that cannot be true: then the moment counts', () => {
    for (const odd of [String(NOW / 1_000 + 3_600), '1500000000', 'soon', undefined])
      assert.deepEqual(routeOf(batchOf({ messages: [metaMessage(ANA, { timestamp: odd })] })), {
        owner: 'us',
        at: NOW,
      });
  });

  test('is told by a handover, which names the contact by the number alone', () => {
    const context = { type: 'summary', summary: { text: 'They want a cake https://api.twilio.com/x' } };
    const [passed] = reportsIn(handoverOf(`+${ANA}`, 'control_passed', NOW - 9_000, { conversation_context: context }));
    assert.ok(passed?.kind === 'handover');
    const { id, context: words, ...rest } = passed.handover;
    assert.match(id, /^handover-[0-9a-f]{32}$/);
    assert.match(words, /^They want a cake/);
    assert.deepEqual(findLeaks(words), []);
    const route = { owner: 'us', at: NOW - 9_000 };
    assert.deepEqual(rest, { channel: 'meta', business: NUMBER, contact: ANA, route });
    const [taken] = reportsIn(handoverOf(ANA, 'control_taken', NOW - 9_000));
    assert.ok(taken?.kind === 'handover' && taken.handover.route.owner === 'other' && taken.handover.context === '');
    const [away] = reportsIn(handoverOf(ANA, 'control_passed', NOW, { new_owner_role: 'ai_agent' }));
    assert.ok(away?.kind === 'handover' && away.handover.route.owner === 'other', 'to the assistant of Meta');
  });

  test('comes with the last things that were said, as lines, the newest when they are many', () => {
    const items = Array.from({ length: 500 }, (_, i) => ({
      role: 'user',
      type: 'text',
      text: { body: `question ${i}` },
    }));
    items.push({ role: 'agent', type: 'image', text: undefined as never });
    const [report] = reportsIn(
      handoverOf(ANA, 'control_passed', NOW, { metadata: 'order 7', conversation_context: { history: { items } } }),
    );
    assert.ok(report?.kind === 'handover');
    assert.match(report.handover.context, /^order 7\n/);
    assert.ok(report.handover.context.length <= 4_000);
    const [short] = reportsIn(
      handoverOf(ANA, 'control_passed', NOW, { conversation_context: { history: { items: items.slice(-2) } } }),
    );
    assert.ok(short?.kind === 'handover' && short.handover.context === 'user: question 499\nagent: [image]');
  });

  test('is not told by a handover of a number that is not ours, of nobody, or of another kind', () => {
    const odd = [
      read(handoverOf(ANA, 'control_taken'), ['999', '888']),
      read(handoverOf('', 'control_taken')),
      read(changeOf('messaging_handovers', { type: 'control_dropped', sender: { phone_number: ANA } })),
      read(changeOf('messaging_handovers', { type: 7, sender: [] })),
    ];
    for (const events of odd)
      assert.deepEqual(
        events.map(({ kind }) => kind),
        ['ignored'],
      );
  });

  test('what another responder says is kept as its words', () => {
    const echo = { id: 'wamid.B', timestamp, message: { to: ANA, type: 'text', text: { body: 'Hello, I am Meta' } } };
    const [report] = reportsIn(batchOf({ field: 'standby', standby: { message_echoes: [echo] } }));
    const at = NOW - 30_000;
    const said = { id: 'wamid.B', author: 'other', text: 'Hello, I am Meta', attachments: [], at: NOW };
    const overheard = {
      channel: 'meta',
      business: NUMBER,
      address: ANA,
      messages: [said],
      route: { owner: 'other', at },
    };
    assert.deepEqual(report, { kind: 'overheard', overheard });
    const toId = { ...echo, message: { recipient: 'US.1A', type: 'template' } };
    const [other] = reportsIn(batchOf({ field: 'standby', standby: { message_echoes: [toId] } }));
    assert.ok(other?.kind === 'overheard' && other.overheard.address === 'US.1A');
    assert.equal(other.overheard.messages[0]?.text, '[template]');
  });
});

describe('what a contact says or does elsewhere', () => {
  test('whether they want marketing messages', () => {
    const preference = (value: string, more: object = {}) => ({
      wa_id: ANA,
      detail: 'User requested to stop marketing messages',
      category: 'marketing_messages',
      value,
      timestamp: NOW / 1_000 - 60,
      ...more,
    });
    const given = [
      preference('stop'),
      preference('resume'),
      preference('stop', { category: 'else' }),
      preference('later'),
      {},
    ];
    const events = read(batchOf({ field: 'user_preferences', user_preferences: given }));
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['report', 'report', 'ignored', 'ignored', 'ignored'],
    );
    const said = { channel: 'meta', business: NUMBER, contact: ANA, at: NOW - 60_000 };
    assert.deepEqual(events[0], {
      kind: 'report',
      report: { kind: 'preference', preference: { ...said, consent: 'opt-out' } },
    });
    assert.ok(events[1]?.kind === 'report' && events[1].report.kind === 'preference');
    assert.equal(events[1].report.preference.consent, 'opt-in');
  });

  test('whoever wants no marketing messages is told of by the failure of one, too', () => {
    const failed = { id: 'wamid.A', status: 'failed', recipient_id: ANA, timestamp: String(NOW / 1_000 - 60) };
    const statuses = [
      { ...failed, errors: [{ code: 131050 }] },
      { ...failed, id: 'wamid.B', errors: [{ code: 131026 }] },
    ];
    const events = read(batchOf({ statuses }));
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['status', 'report', 'status'],
    );
    const preference = { channel: 'meta', business: NUMBER, contact: ANA, consent: 'opt-out', at: NOW - 60_000 };
    assert.deepEqual(events[1], { kind: 'report', report: { kind: 'preference', preference } });
  });

  test('a call is theirs when they began it, and needs no answer', () => {
    const call = { id: 'wacid.ABGGFjFVU2A', from: ANA, to: NUMBER, event: 'connect', timestamp: String(NOW / 1_000) };
    const ours = { ...call, id: 'wacid.B', from: NUMBER, to: ANA };
    const calls = [
      { ...call, direction: 'USER_INITIATED' },
      { ...ours, direction: 'BUSINESS_INITIATED' },
      { ...call, id: 'wacid.C' },
      ours,
      { id: 5 },
    ];
    const events = read(batchOf({ field: 'calls', calls }));
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['message', 'ignored', 'message', 'ignored', 'ignored'],
    );
    assert.ok(events[0]?.kind === 'message');
    const { id, from, unread, answered, route, sentAt } = events[0].message;
    assert.deepEqual([id, from, unread, answered], ['wacid.ABGGFjFVU2A', ANA, { kind: 'call', isUpdate: true }, true]);
    assert.deepEqual([route, sentAt], [undefined, undefined], 'it opens the 24 hours and says nothing of the thread');
  });

  test('a new number comes before the message that tells of it, which is the new number’s', () => {
    for (const named of [{ wa_id: '15550100102' }, { new_wa_id: '15550100102' }]) {
      const system = { type: 'user_changed_number', body: 'User changed', user_id: 'US.9', ...named };
      const [change, message] = read(
        batchOf({ messages: [metaMessage(ANA, { type: 'system', text: undefined, system })] }),
      );
      const moved = { channel: 'meta', business: NUMBER, from: ANA, to: '15550100102', at: NOW };
      assert.ok(message?.kind === 'message');
      const told = { id: message.message.id, ...moved };
      assert.deepEqual(change, { kind: 'report', report: { kind: 'number changed', change: told } });
      assert.deepEqual([message.message.from, message.message.aliases], ['15550100102', ['US.9']]);
    }
    const untold = metaMessage(ANA, { type: 'system', text: undefined, system: { type: 'user_changed_number' } });
    assert.deepEqual(
      read(batchOf({ messages: [untold] })).map(({ kind }) => kind),
      ['message'],
    );
  });
});

describe('past messages', () => {
  const text = (id: string, from: string, seconds: number, body: string) => {
    const status = { history_context: { status: 'READ' } };
    return { id, from, timestamp: String(NOW / 1_000 - seconds), type: 'text', text: { body }, ...status };
  };

  test('are both sides’, each with its own time, the oldest first', () => {
    const messages = [
      text('wamid.2', ANA, 50, 'Thanks!'),
      text('wamid.1', NUMBER, 90, 'Here it is'),
      { id: 'wamid.3', type: 'reaction' },
    ];
    const history = [
      {
        metadata: { phase: 0, chunk_order: 1 },
        threads: [
          { id: ANA, messages },
          { id: 'x y', messages },
        ],
      },
    ];
    const events = read(batchOf({ field: 'history', history }));
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['report', 'ignored'],
    );
    assert.ok(events[0]?.kind === 'report' && events[0].report.kind === 'overheard');
    const { messages: kept, route, address } = events[0].report.overheard;
    assert.deepEqual([route, address], [undefined, ANA]);
    assert.deepEqual(
      kept.map(({ id, author, text, at }) => [id, author, text, NOW - at]),
      [
        ['wamid.1', 'desk', 'Here it is', 90_000],
        ['wamid.2', 'contact', 'Thanks!', 50_000],
      ],
    );
  });

  test('of a long thread are several events', () => {
    const messages = Array.from({ length: 120 }, (_, i) => text(`wamid.${i}`, ANA, 500 - i, `number ${i}`));
    const reports = reportsIn(batchOf({ field: 'history', history: [{ threads: [{ id: ANA, messages }] }] }));
    const sizes = reports.map((report) => report.kind === 'overheard' && report.overheard.messages.length);
    assert.deepEqual(sizes, [50, 50, 20]);
  });

  test('bring their files later, and are no new messages', () => {
    const picture = {
      ...text('wamid.5', ANA, 70, ''),
      type: 'image',
      text: undefined,
      image: { id: '77', mime_type: 'image/jpeg' },
    };
    const [report] = reportsIn(batchOf({ field: 'history', messages: [picture] }));
    assert.ok(report?.kind === 'overheard');
    assert.deepEqual(report.overheard.messages[0]?.attachments, [
      { kind: 'image', contentType: 'image/jpeg', ref: '77' },
    ]);
    const declined = read(batchOf({ field: 'history', history: [{ errors: [{ code: 2593109 }] }] }));
    assert.deepEqual(declined, [{ kind: 'ignored', reason: 'Meta reports an error of its own: 2593109.' }]);
  });
});

describe('news of the account', () => {
  const template = { message_template_id: 5, message_template_name: 'cake_day', message_template_language: 'en_US' };

  test('of a template: its state with the reason, its quality, its category', () => {
    const other_info = { title: 'FIRST_PAUSE', description: 'Paused for 3 hours' };
    const paused = { ...template, event: 'PAUSED', reason: 'NONE', other_info };
    assert.deepEqual(newsIn('message_template_status_update', paused), [
      {
        channel: 'meta',
        subject: 'template:cake_day:en_US',
        state: 'PAUSED',
        detail: 'Paused for 3 hours',
        at: NOW - 5_000,
      },
    ]);
    const rejected = { ...template, event: 'REJECTED', reason: 'PROMOTIONAL' };
    assert.equal(newsIn('message_template_status_update', rejected)[0]?.detail, 'PROMOTIONAL');
    const quality = { ...template, previous_quality_score: 'GREEN', new_quality_score: 'RED' };
    const [red] = newsIn('message_template_quality_update', quality);
    assert.deepEqual([red?.subject, red?.state], ['quality:cake_day:en_US', 'RED']);
    const soon = {
      ...template,
      new_category: 'UTILITY',
      correct_category: 'MARKETING',
      category_update_timestamp: 1790086400,
    };
    const [category] = newsIn('template_category_update', soon);
    assert.equal(category?.state, 'UTILITY');
    assert.equal(category?.detail, 'becomes MARKETING on 2026-09-22T14:13:20.000Z');
  });

  test('of the account: what says whether we may send, and nothing else', () => {
    const ban = { event: 'DISABLED_UPDATE', ban_info: { waba_ban_state: 'DISABLE', waba_ban_date: 'April 17, 2025' } };
    assert.deepEqual(
      newsIn('account_update', ban).map(({ subject, state }) => [subject, state]),
      [['account', 'DISABLE']],
    );
    const restriction_info = [{ restriction_type: 'RESTRICTED_BIZ_INITIATED_MESSAGING', expiration: 1790086400 }];
    const [restricted] = newsIn('account_update', { event: 'ACCOUNT_RESTRICTION', restriction_info });
    assert.equal(restricted?.subject, 'restriction:RESTRICTED_BIZ_INITIATED_MESSAGING');
    assert.equal(restricted?.until, 1_790_086_400_000);
    assert.deepEqual(newsIn('account_update', { event: 'PARTNER_ADDED', waba_info: {} }), []);
  });

  test('of a number and of the limit, which is the portfolio’s', () => {
    const number = { display_phone_number: NUMBER, event: 'FLAGGED', max_daily_conversations_per_business: 'TIER_2K' };
    assert.deepEqual(
      newsIn('phone_number_quality_update', number).map(({ subject, state }) => [subject, state]),
      [
        [`number:${NUMBER}`, 'FLAGGED'],
        ['limit', 'TIER_2K'],
      ],
    );
    const [limit] = newsIn('business_capability_update', { max_daily_conversations_per_business: 10_000 });
    assert.deepEqual([limit?.subject, limit?.state], ['limit', '10000']);
  });

  test('needs no number of ours, and what is odd is set aside', () => {
    const approved = changeOf('message_template_status_update', { ...template, event: 'APPROVED' });
    assert.equal(reportsIn(approved, ['1', '2']).length, 1);
    const odd = [
      { ...template, event: 'a b' },
      { ...template, message_template_name: 'x'.repeat(600), event: 'APPROVED' },
      { event: 'APPROVED' },
      { ...template, event: { toString: 5 } },
    ];
    for (const value of odd)
      assert.deepEqual(
        read(changeOf('message_template_status_update', value)).map(({ kind }) => kind),
        ['ignored'],
      );
  });
});
