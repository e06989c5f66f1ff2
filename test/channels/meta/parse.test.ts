import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Inbound } from '../../../app/channels/meta/inbound.ts';
import { readBatch } from '../../../app/channels/meta/parse.ts';
import type { DeliveryStatus, InboundMessage } from '../../../app/message.ts';
import { findLeaks } from '../../../app/privacy/scrub.ts';
import { batchOf, metaMessage, NUMBER, PHONE_NUMBER_ID } from '../../support/meta.ts';

// The file's shape is its own contract.
const { samples } = JSON.parse(readFileSync('test/fixtures/meta-webhooks.json', 'utf8')) as {
  samples: { name: string; payload: object }[];
};

const RECEIVED_AT = 1_750_275_999_000;
const OURS = /^(106540352242922|123456|PHONE_NUMBER_ID)$/;

function read(batch: unknown, receivedAt = RECEIVED_AT): Inbound[] {
  const numbers = { only: undefined, isOurs: () => true, numberOf: () => undefined, learn: () => {} };
  return readBatch(batch, { receivedAt, requestId: 'request', numbers });
}

function sample(name: string): unknown {
  return samples.find((one) => one.name === name)?.payload ?? assert.fail(`there is no sample ${name}`);
}

function messagesIn(batch: unknown): InboundMessage[] {
  return read(batch).flatMap((event) => (event.kind === 'message' ? [event.message] : []));
}

function messageIn(batch: unknown): InboundMessage {
  const [message] = messagesIn(batch);
  return message ?? assert.fail('there is a message');
}

function statusesIn(batch: unknown): DeliveryStatus[] {
  return read(batch).flatMap((event) => (event.kind === 'status' ? [event.status] : []));
}

/** A message of one kind. */
function of(overrides: Record<string, unknown>): InboundMessage {
  return messageIn(batchOf({ messages: [metaMessage('15550100123', { text: undefined, ...overrides })] }));
}

describe('a recorded payload', () => {
  const words: [string, Partial<InboundMessage>][] = [
    ['text_message', { text: text('Does it come in another color?'), from: '16505551234', business: NUMBER }],
    [
      'text_message_with_context_product_inquiry',
      {
        text: text('Is this still available?\n[about the product di9ozbzfi4]'),
        inReplyTo: 'wamid.HBgLMTY1MDM4Nzk0MzkVAgARGA9wcm9kdWN0X2lucXVpcnkA',
      },
    ],
    ['reaction_message', { text: text('👍'), unread: { kind: 'reaction', isUpdate: true } }],
    [
      'reaction_removed_no_emoji',
      { text: text(''), unread: { kind: 'reaction', isUpdate: true }, inReplyTo: 'wamid.ORIG' },
    ],
    ['contact_sharing_message', { text: text('Contact card: Lucía Gómez, Google, +1 (983) 555-2319') }],
    ['unsupported_message', { text: text(''), unread: { kind: 'unknown', isUpdate: false } }],
    ['media_too_big_131052', { text: text(''), unread: { kind: 'unknown', isUpdate: false } }],
    [
      'interactive_list_reply_message',
      { text: text('Priority Mail Express: Next Day to 2 Days'), buttonPayload: text('priority_express') },
    ],
    ['interactive_button_reply_message', { text: text('Cancel'), buttonPayload: text('cancel-button') }],
    ['system_message', { unread: { kind: 'system', isUpdate: true } }],
    ['forwarded_text_context_without_id', { text: text('fwd'), forwarded: true }],
    [
      'voice_note',
      { text: text(''), attachments: [{ kind: 'audio', contentType: 'audio/ogg', ref: '1003383421387256' }] },
    ],
    [
      'image_with_url_field',
      { text: text('Taj Mahal'), attachments: [{ kind: 'image', contentType: 'image/jpeg', ref: '1003383421387256' }] },
    ],
    [
      'document',
      {
        text: text('here'),
        attachments: [{ kind: 'document', contentType: 'application/pdf', ref: '1003383421387256' }],
      },
    ],
    ['sticker', { attachments: [{ kind: 'image', contentType: 'image/webp', ref: '1003383421387256' }] }],
  ];
  for (const [name, expected] of words)
    test(`${name} is read`, () => {
      const message = messageIn(sample(name));
      const found = Object.fromEntries(Object.keys(expected).map((key) => [key, message[key as keyof InboundMessage]]));
      assert.deepEqual(found, expected);
    });

  test('of somebody who came from an advertisement names it', () => {
    const { referral } = messageIn(sample('text_message_from_click_to_whatsapp_ad'));
    assert.equal(referral?.headline, 'Chat with us');
    assert.equal(referral?.body, 'Summer Succulents are here!');
    assert.equal(referral?.sourceId, '120226305854810726');
    assert.match(referral?.clickId ?? '', /^Aff-n8ZT/);
  });

  test('of a place has its coordinates', () => {
    assert.deepEqual(messageIn(sample('location_message')).location, {
      latitude: 37.44221496582,
      longitude: -122.16165924072,
      label: 'Philz Coffee',
      address: '101 Forest Ave, Palo Alto, CA 94301',
    });
  });

  test('of a person with a username names all their addresses, the number first', () => {
    const { from, contact, aliases, profileName } = messageIn(
      sample('chat_text_message_with_business_scoped_user_ids'),
    );
    assert.deepEqual([from, contact, profileName], ['15551234567', '15551234567', 'Test User']);
    assert.deepEqual(aliases, ['US.13491208655302741918', 'US.ENT.11815799212886844830']);
  });

  test('of statuses says what became of our messages, and what they cost', () => {
    assert.deepEqual(statusesIn(sample('status_sent_pmp')), [
      {
        channel: 'meta',
        sid: 'wamid.OUT',
        state: 'sent',
        business: NUMBER,
        to: '16505551234',
        pricing: { category: 'service', free: true },
      },
    ]);
    const [delivered] = statusesIn(sample('chat_status_update_message_delivered'));
    assert.deepEqual([delivered?.state, delivered?.pricing], ['delivered', { category: 'utility' }]);
    assert.equal(statusesIn(sample('status_played_voice'))[0]?.state, 'read');
    assert.deepEqual(
      read(sample('batch_message_and_status_changes')).map(({ kind }) => kind),
      ['message', 'status'],
    );
  });

  test('of a field that is not for us is left alone, with a reason', () => {
    for (const name of ['group_create_message', 'group_remove_participants']) {
      const [event] = read(sample(name));
      assert.equal(event?.kind, 'ignored');
    }
  });

  test('is read whatever is missing or has another shape', () => {
    const [simplest] = messagesIn({
      entry: [
        {
          changes: [
            {
              value: {
                metadata: { display_phone_number: '15551713917', phone_number_id: '123456' },
                contacts: [{ wa_id: '919216598210' }],
                messages: [
                  {
                    from: '919216598210',
                    id: 'wamid.XXX',
                    timestamp: '1757936743',
                    type: 'text',
                    text: { body: 'Good' },
                  },
                ],
              },
            },
          ],
        },
      ],
    });
    assert.deepEqual(
      [simplest?.text, simplest?.from, simplest?.business, simplest?.profileName],
      ['Good', '919216598210', '15551713917', null],
    );
    const odd = {
      text: { body: 7 },
      image: 'none',
      location: [],
      contacts: {},
      interactive: 1,
      order: null,
      errors: 'x',
    };
    assert.equal(messageIn(batchOf({ messages: [metaMessage('15550100123', odd)] })).text, '7');
  });
});

describe('a message', () => {
  test('of an order says what is ordered', () => {
    const items = [
      { product_retailer_id: 'bread', quantity: 2, item_price: 4.5, currency: 'EUR' },
      { product_retailer_id: 'cake', quantity: 1 },
    ];
    const { text } = of({ type: 'order', order: { text: 'For tomorrow', product_items: items } });
    assert.equal(text, 'For tomorrow\n2 × bread (4.5 EUR each)\n1 × cake');
  });

  test('of a form has its answers', () => {
    const response_json = JSON.stringify({ flow_token: 'x', screen_0_Your_name_1: 'Ana' });
    const { form } = of({
      type: 'interactive',
      interactive: { type: 'nfm_reply', nfm_reply: { name: 'flow', response_json } },
    });
    assert.equal(form, 'Your name: Ana');
  });

  test('of a template’s button has what it says', () => {
    const { text, buttonPayload } = of({ type: 'button', button: { text: 'Yes', payload: 'confirm' } });
    assert.deepEqual([text, buttonPayload], ['Yes', 'confirm']);
  });

  test('that was edited or taken back names the one it is about, and needs no answer', () => {
    const edit = { original_message_id: 'wamid.OLD', message: { type: 'text', text: { body: 'tomorrow at 5' } } };
    const edited = of({ type: 'edit', edit });
    assert.deepEqual(
      [edited.text, edited.inReplyTo, edited.unread],
      ['tomorrow at 5', 'wamid.OLD', { kind: 'edit', isUpdate: true }],
    );
    const revoked = of({ type: 'revoke', revoke: { original_message_id: 'wamid.OLD' } });
    assert.deepEqual([revoked.text, revoked.inReplyTo, revoked.unread?.isUpdate], ['', 'wamid.OLD', true]);
  });

  test('of a kind that nobody knows is kept', () => {
    assert.deepEqual(of({ type: 'hologram', hologram: {} }).unread, { kind: 'hologram', isUpdate: false });
  });

  test('has the coordinates of a place as numbers or as texts, else its name', () => {
    const location = { latitude: '37.5', longitude: '-122.25', name: 'Home' };
    assert.deepEqual(of({ type: 'location', location }).location, {
      latitude: 37.5,
      longitude: -122.25,
      label: 'Home',
    });
    assert.deepEqual(of({ type: 'location', location: { latitude: 'north', name: 'Home' } }).text, 'Home');
  });

  test('that comes late says when it was sent', () => {
    const timestamp = String(RECEIVED_AT / 1_000 - 7_200);
    assert.equal(of({ timestamp }).sentAt, RECEIVED_AT - 7_200_000);
    assert.equal(of({ timestamp: String(RECEIVED_AT / 1_000 - 5) }).sentAt, undefined);
    assert.equal(of({ timestamp: 'yesterday' }).sentAt, undefined);
    const eightDays = RECEIVED_AT / 1_000 - 8 * 86_400;
    assert.equal(of({ timestamp: String(eightDays) }).sentAt, undefined, 'an example, or a recording');
  });

  test('of somebody without a number is theirs by their id', () => {
    const batch = batchOf({
      contacts: [{ user_id: 'US.1A2B', profile: { name: 'No Number' } }],
      messages: [metaMessage('x', { from: undefined, from_user_id: 'US.1A2B' })],
    });
    const { from, aliases, profileName } = messageIn(batch);
    assert.deepEqual([from, aliases, profileName], ['US.1A2B', undefined, 'No Number']);
  });

  test('in a thread of another responder is kept and not answered', () => {
    const messages = [metaMessage('15550100123')];
    assert.equal(messageIn(batchOf({ field: 'standby', standby: { messages } })).answered, true);
    assert.equal(messageIn(batchOf({ field: 'standby', messages })).answered, true);
    assert.equal(of({}).answered, undefined);
  });

  test('that the team sent from the Business app says to whom and when', () => {
    const echoes = (things: Parameters<typeof batchOf>[0]) => read(batchOf(things));
    const timestamp = String(RECEIVED_AT / 1_000 - 600);
    const inApp = {
      from: NUMBER,
      to: '15550100123',
      id: 'wamid.A',
      timestamp,
      type: 'text',
      text: { body: 'I will look' },
    };
    const [event] = echoes({ field: 'smb_message_echoes', message_echoes: [inApp] });
    assert.deepEqual(event, {
      kind: 'echo',
      echo: {
        id: 'wamid.A',
        channel: 'meta',
        business: NUMBER,
        to: '15550100123',
        contact: '15550100123',
        text: 'I will look',
        at: RECEIVED_AT - 600_000,
      },
    });
    const picture = { ...inApp, type: 'image', text: undefined, image: { id: '5' } };
    const [shown] = echoes({ message_echoes: [picture] });
    assert.equal(shown?.kind === 'echo' && shown.echo.text, '[image]');
    for (const odd of [{ ...inApp, type: 'revoke', text: undefined }, { ...inApp, to: undefined }, {}])
      assert.equal(echoes({ message_echoes: [odd] })[0]?.kind, 'ignored');
    const theirs = { id: 'wamid.B', message: { to: '15550100123', type: 'text', text: { body: 'Hello' } } };
    const [ofAnother] = echoes({ field: 'standby', standby: { message_echoes: [theirs] } });
    assert.equal(ofAnother?.kind, 'report', 'what another responder wrote is not the team’s');
  });

  test('in a group is ignored', () => {
    const [event] = read(batchOf({ messages: [metaMessage('15550100123', { group_id: 'group' })] }));
    assert.deepEqual(event, { kind: 'ignored', reason: 'A message was written in a group.' });
  });

  test('is kept as it came, but for addresses of Meta and what no database takes', () => {
    const odd = { 'k\u0000ey https://lookaside.fbsbx.com/x': 'see https://lookaside.fbsbx.com/y?z\u0000' };
    const original = JSON.stringify(of({ odd }).original);
    assert.ok(!original.includes('fbsbx') && !original.includes('\\u0000'), original);
    let deep: object = {};
    for (let i = 0; i < 5_000; i++) deep = { deep };
    const message = of({ text: { body: 'still here' }, deep });
    assert.deepEqual([message.text, message.original], ['still here', undefined]);
  });

  test('without an id or a sender is left out, and nothing else with it', () => {
    const good = metaMessage('15550100123');
    const events = read(
      batchOf({ messages: [{ from: '1' }, null, good, { id: 'wamid.x' }, 'text'], statuses: [{}, 3] }),
    );
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['ignored', 'ignored', 'message', 'ignored', 'ignored', 'ignored', 'ignored'],
    );
  });

  test('for a number that is not ours is left alone', () => {
    const numbers = {
      only: '123456',
      isOurs: (id: string) => OURS.test(id),
      numberOf: () => undefined,
      learn: () => {},
    };
    const context = { receivedAt: RECEIVED_AT, requestId: 'request', numbers };
    const theirs = batchOf({ phoneNumberId: '999', messages: [metaMessage('15550100123')] });
    assert.deepEqual(
      readBatch(theirs, context).map(({ kind }) => kind),
      ['ignored'],
    );
    const unnamed = { entry: [{ changes: [{ value: { messages: [metaMessage('15550100123')] } }] }] };
    const [only] = readBatch(unnamed, context);
    assert.equal(only?.kind === 'message' && only.message.business, '123456', 'there is one number alone');
    const [ours] = readBatch(batchOf({ phoneNumberId: PHONE_NUMBER_ID, messages: [metaMessage('1555')] }), context);
    assert.equal(ours?.kind, 'message');
  });
});

const TIMES = new Set(['receivedAt', 'sentAt', 'at']);

test('recorded events in any order, doubled, and with poison between them, are read as each of them alone', () => {
  interface Change {
    field: string;
    value: { messages?: unknown[]; statuses?: unknown[] };
  }
  // As the file has them, see above.
  const changes = samples.flatMap(({ payload }) =>
    (payload as { entry: { changes: Change[] }[] }).entry.flatMap((one) => one.changes),
  );
  const poison = [
    null,
    'text',
    { value: null },
    { field: 5, value: {} },
    { value: { messages: [null, {}], metadata: 7 } },
  ];
  const alone = (change: unknown) => keysOf(read({ entry: [{ changes: [change] }] }));
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...changes), fc.constantFrom(...poison)), { maxLength: 30 }),
      fc.nat(5),
      (some, cut) => {
        const entry = [{ changes: some.slice(0, cut) }, { changes: some.slice(cut) }];
        assert.deepEqual(keysOf(read({ entry })), some.flatMap(alone));
      },
    ),
    { numRuns: 300 },
  );

  /** What is kept, without when it came: what is of long ago takes its place by that. */
  function keysOf(events: readonly Inbound[]): string[] {
    return events.flatMap((event) => {
      if (event.kind === 'ignored') return [];
      return JSON.stringify(event, (key, value) => (TIMES.has(key) ? undefined : value));
    });
  }
});

test('whatever is posted, nothing throws, and no text leads to the provider', () => {
  const leaf = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.constant(null),
    fc.boolean(),
    fc.constant('https://api.twilio.com/x'),
  );
  const keys = [
    'entry',
    'changes',
    'value',
    'messages',
    'statuses',
    'contacts',
    'text',
    'body',
    'id',
    'from',
    'metadata',
  ];
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'large', withCrossShrink: true },
      leaf,
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom(...keys), tie('tree'), { maxKeys: 6 }),
    ),
  }));
  const inBatch = fc.tuple(tree, tree).map(([one, other]) => {
    const message = metaMessage('15550100123', {
      text: { body: one },
      type: one,
      image: one,
      contacts: [one],
      odd: other,
    });
    return batchOf({ messages: [one, message], statuses: [one], contacts: [other], message_echoes: [one] });
  });
  let messages = 0;
  fc.assert(
    fc.property(fc.oneof(tree, inBatch), (batch) => {
      for (const event of read(batch)) {
        if (event.kind !== 'message') continue;
        messages++;
        assert.deepEqual(findLeaks(JSON.stringify(event.message)), []);
      }
    }),
    { numRuns: 2_000 },
  );
  assert.ok(messages > 500, 'most batches had a message');
});

/** As `scrub` leaves it: the samples have nothing that is taken out. */
function text(words: string): InboundMessage['text'] {
  return words as InboundMessage['text'];
}
