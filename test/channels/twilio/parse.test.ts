import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { LONGEST_TEXT } from '../../../app/channels/reading.ts';
import { mediaPath, parseInbound } from '../../../app/channels/twilio/parse.ts';
import type { InboundMessage } from '../../../app/message.ts';
import { findLeaks } from '../../../app/privacy/scrub.ts';
import { type Fields, mediaMessage, textMessage } from '../../support/webhook.ts';

// The file's shape is its own contract.
const { samples } = JSON.parse(readFileSync('test/fixtures/twilio-inbound.json', 'utf8')) as {
  samples: Record<string, Fields>;
};

const ACCOUNT = 'AC00000000000000000000000000000000';
const MESSAGE = 'MM11111111111111111111111111111111';
const MEDIA = 'ME22222222222222222222222222222222';
const MEDIA_PATH = `/2010-04-01/Accounts/${ACCOUNT}/Messages/${MESSAGE}/Media/${MEDIA}`;
const MEDIA_URL = `https://api.twilio.com${MEDIA_PATH}`;

const CONTEXT = { receivedAt: 1_790_000_000_000, requestId: 'request-1', accountSid: ACCOUNT };

function parse(fields: Fields, context: Partial<Parameters<typeof parseInbound>[1]> = {}) {
  return parseInbound(new URLSearchParams(fields), { ...CONTEXT, ...context });
}

function messageOf(fields: Fields): InboundMessage {
  const parsed = parse(fields);
  assert.equal(parsed.kind, 'message', JSON.stringify(parsed));
  return parsed.kind === 'message' ? parsed.message : assert.fail();
}

function sample(name: string): Fields {
  return samples[name] ?? assert.fail(`no sample is called ${name}`);
}

describe('the recorded webhooks', () => {
  const common = {
    id: 'SM11111111111111111111111111111111',
    channel: 'twilio',
    business: '14155238886',
    from: '15551234567',
    aliases: ['US.1A2B3C4D5E6F'],
    contact: '15551234567',
    profileName: 'Sheena Nelson',
    receivedAt: CONTEXT.receivedAt,
    text: 'hello',
    attachments: [],
    requestId: 'request-1',
  };
  const file = { id: MESSAGE, text: '' };
  const ref = `${MESSAGE}/${MEDIA}`;
  const expected: Record<string, object> = {
    text: {},
    forwarded: { forwarded: true },
    image_no_caption: { ...file, attachments: [{ kind: 'image', contentType: 'image/jpeg', ref }] },
    document: { ...file, text: 'file.pdf', attachments: [{ kind: 'document', contentType: 'application/pdf', ref }] },
    vcard: { ...file, attachments: [{ kind: 'contact-card', contentType: 'text/vcard', ref }] },
    location: {
      text: '',
      location: {
        latitude: 51.51322977399644,
        longitude: -0.2197976373036567,
        label: 'The Harrow Club',
        address: '187 Freston Road, London',
      },
    },
    bsuid_only: { from: 'US.1A2B3C4D5E6F', aliases: [], contact: 'US.1A2B3C4D5E6F' },
  };
  for (const [name, differences] of Object.entries(expected)) {
    test(name, () => {
      const { aliases, ...rest } = { ...common, ...differences };
      assert.deepEqual(messageOf(sample(name)), aliases.length > 0 ? { aliases, ...rest } : rest);
    });
  }

  test('status_delivered', () => {
    const status = {
      channel: 'twilio',
      sid: common.id,
      state: 'delivered',
      business: '14155238886',
      to: '15551234567',
    };
    assert.deepEqual(parse(sample('status_delivered')), { kind: 'status', status });
  });

  test('are all of them', () => {
    assert.deepEqual(Object.keys(samples).sort(), [...Object.keys(expected), 'status_delivered'].sort());
  });
});

describe('a person', () => {
  test('without a number keeps every letter', () => {
    assert.equal(messageOf(textMessage({ From: 'whatsapp:US.1A2b3C' })).contact, 'US.1A2b3C');
    assert.equal(messageOf(textMessage({ From: 'whatsapp:US.ENT.1A2b3C' })).contact, 'US.ENT.1A2b3C');
  });

  test('has a name of one line and a bearable length, or none', () => {
    assert.equal(messageOf(textMessage({ ProfileName: ' Zoë \n 😀 ' })).profileName, 'Zoë 😀');
    assert.equal(messageOf(textMessage({ ProfileName: 'x'.repeat(1_000) })).profileName?.length, 256);
    assert.equal(messageOf(textMessage({ ProfileName: ' ' })).profileName, null);
    const { ProfileName: _, ...unnamed } = textMessage();
    assert.equal(messageOf(unnamed).profileName, null);
  });
});

describe('a text', () => {
  const textOf = (Body: string) => messageOf(textMessage({ Body })).text;

  test('loses Twilio’s addresses', () => {
    assert.equal(textOf(`look: ${MEDIA_URL} nice`), 'look: [MEDIA_CONTENT] nice');
    const { location } = messageOf(textMessage({ Latitude: '1', Longitude: '2', Label: MEDIA_URL, Address: MEDIA }));
    assert.deepEqual([location?.label, location?.address], ['[MEDIA_CONTENT]', '[MEDIA_CONTENT]']);
    assert.equal(messageOf(textMessage({ ProfileName: MEDIA })).profileName, '[MEDIA_CONTENT]');
  });

  test('loses control characters, but not its lines and tabs', () => {
    assert.equal(textOf('a\u0000b\u0007c\u009bd\n\te\r\nf'), 'abcd\n\te\nf');
  });

  test('keeps all kinds of writing', () => {
    for (const text of ['émoji 👨‍👩‍👧‍👦', 'العربية \u200f\u202b', '中文', '100% & <b> "q"'])
      assert.equal(textOf(text), text);
  });

  test('beyond all measure is cut, not in the middle of a character', () => {
    assert.equal(textOf('x'.repeat(50_000)).length, LONGEST_TEXT);
    const cut = textOf(`x${'😀'.repeat(LONGEST_TEXT)}`);
    assert.equal(cut.length, LONGEST_TEXT);
    assert.doesNotMatch(cut, /\p{Cs}/u);
  });

  test('that is half a character becomes a whole one', () => {
    const parsed = parseInbound(
      [
        ['From', 'whatsapp:+15550100123'],
        ['Body', 'a\ud800b'],
      ],
      CONTEXT,
    );
    assert.equal(parsed.kind === 'message' && parsed.message.text, 'a\ufffdb');
  });

  test('never leaks, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.constantFrom(MEDIA_URL, MEDIA, 'api.twilio.com'),
        (text, leak) => {
          const message = messageOf(textMessage({ Body: `${text}${leak}`, ProfileName: `${leak}${text}` }));
          assert.deepEqual(findLeaks(`${message.text} ${message.profileName}`), []);
        },
      ),
    );
  });
});

describe('a button', () => {
  test('is its title, with what is behind it', () => {
    const message = messageOf(textMessage({ Body: 'Yes!', ButtonText: 'Yes, please', ButtonPayload: 'order:yes' }));
    assert.deepEqual([message.text, message.buttonPayload], ['Yes, please', 'order:yes']);
  });

  test('without a title is a message all the same', () => {
    const message = messageOf(textMessage({ Body: '', ButtonPayload: 'yes' }));
    assert.deepEqual([message.text, message.buttonPayload], ['', 'yes']);
  });

  test('of a list is the same', () => {
    const message = messageOf(textMessage({ Body: '', ListTitle: 'Green tea', ListId: 'tea-2' }));
    assert.deepEqual([message.text, message.buttonPayload], ['Green tea', 'tea-2']);
  });
});

describe('attachments', () => {
  const attachmentOf = (url: string, contentType: string, overrides: Fields = {}) =>
    messageOf(mediaMessage(url, contentType, overrides)).attachments[0];

  test('are told apart by what the provider says', () => {
    const kinds = [
      ['image/webp', 'image', 'image/webp'],
      ['audio/ogg; codecs=opus', 'audio', 'audio/ogg'],
      ['Video/MP4', 'video', 'video/mp4'],
      ['text/x-vcard', 'contact-card', 'text/x-vcard'],
      ['text/plain', 'document', 'text/plain'],
      ['', 'document', 'application/octet-stream'],
    ] as const;
    for (const [header, kind, contentType] of kinds) {
      assert.deepEqual(attachmentOf(MEDIA_URL, header), { kind, contentType, ref: `${MESSAGE}/${MEDIA}` });
    }
  });

  test('are named without the host, which is not believed', () => {
    const elsewhere = attachmentOf(`https://evil.example${MEDIA_PATH}?x=y`, 'image/png');
    assert.equal(elsewhere?.ref, `${MESSAGE}/${MEDIA}`);
    assert.equal(mediaPath(ACCOUNT, elsewhere?.ref ?? ''), MEDIA_PATH);
  });

  test('whose address is not as it should be cannot be read', () => {
    const other = 'AC99999999999999999999999999999999';
    const wrong = [
      '',
      'nonsense',
      'https://api.twilio.com/',
      `https://api.twilio.com/x${MEDIA_PATH}`,
      `${MEDIA_URL}/more`,
      `${MEDIA_URL}.json`,
      `${MEDIA_URL.slice(0, -1)}z`,
      MEDIA_URL.replace(ACCOUNT, other),
      MEDIA_URL.replace('/Media/', '/Media/../Media/x'),
      MEDIA_URL.replace('2010-04-01', '2008-08-01'),
    ];
    for (const url of wrong) assert.equal(attachmentOf(url, 'image/png')?.ref, '', url);
    const foreign = { AccountSid: other };
    assert.equal(attachmentOf(MEDIA_URL.replace(ACCOUNT, other), 'image/png', foreign)?.ref, '', 'not our account');
  });

  test('are believed to be of the form’s account when ours is not known', () => {
    const parsed = parse(mediaMessage(MEDIA_URL, 'image/png'), { accountSid: undefined });
    assert.equal(parsed.kind === 'message' && parsed.message.attachments[0]?.ref, `${MESSAGE}/${MEDIA}`);
  });

  test('are as many as the provider says, up to ten', () => {
    const counts: [said: string, attachments: number][] = [
      ['2', 2],
      ['11', 10],
      ['1e9', 10],
      ['-1', 0],
      ['x', 0],
      ['', 0],
    ];
    for (const [NumMedia, count] of counts) {
      assert.equal(messageOf(mediaMessage(MEDIA_URL, 'image/png', { NumMedia, Body: 'x' })).attachments.length, count);
    }
  });

  test('leave no address behind', () => {
    assert.doesNotMatch(JSON.stringify(messageOf(mediaMessage(MEDIA_URL, 'image/png'))), /https?:|2010-04-01|AC0/);
  });
});

test('a ref that names nothing has no path', () => {
  for (const ref of ['', 'a/b', `${MESSAGE}/../${MEDIA}`, `${MESSAGE}/${MEDIA}\n`, `${MEDIA}/${MESSAGE}`]) {
    assert.equal(mediaPath(ACCOUNT, ref), null, ref);
  }
});

describe('details', () => {
  test('a place needs both coordinates, on this earth', () => {
    const locationOf = (Latitude: string, Longitude: string) =>
      messageOf(textMessage({ Latitude, Longitude })).location;
    assert.deepEqual(locationOf('0', '-180'), { latitude: 0, longitude: -180 });
    for (const [latitude, longitude] of [
      ['', ''],
      ['1', ''],
      ['91', '0'],
      ['x', '0'],
      ['0', '181'],
    ] as const) {
      assert.equal(locationOf(latitude, longitude), undefined);
    }
  });

  test('forwarded is what says so, not what says no', () => {
    assert.equal(messageOf(textMessage({ FrequentlyForwarded: 'true', Forwarded: 'false' })).forwarded, true);
    assert.ok(!('forwarded' in messageOf(textMessage({ Forwarded: 'false' }))));
  });

  test('an answer names the message it is for', () => {
    const OriginalRepliedMessageSid = 'SM33333333333333333333333333333333';
    assert.equal(messageOf(textMessage({ OriginalRepliedMessageSid })).inReplyTo, OriginalRepliedMessageSid);
  });

  test('the id is found under its older names, too, and a message without one is told apart by its request', () => {
    const { MessageSid, SmsSid, SmsMessageSid, ...fields } = textMessage();
    assert.equal(messageOf({ ...fields, SmsSid: 'SM1' }).id, 'SM1');
    assert.equal(messageOf(fields).id, 'request-1');
  });
});

describe('what holds nothing that can be read', () => {
  const unread = (fields: Record<string, string>) => {
    const parsed = parse(textMessage({ Body: '', ...fields }));
    return parsed.kind === 'message' ? parsed.message.unread : parsed;
  };

  test('is a message all the same, with its kind', () => {
    for (const [type, kind] of [
      ['unsupported', 'unknown'],
      ['text', 'unknown'],
      ['', 'unknown'],
      ['x'.repeat(41), 'unknown'],
      ['लेख', 'unknown'],
      ['VIDEO', 'video'],
      ['order', 'order'],
      ['credit_note', 'credit_note'],
    ] as const) {
      assert.deepEqual(unread({ MessageType: type }), { kind, isUpdate: false }, type);
    }
    assert.deepEqual(unread({ Body: ' \n\u0000' }), { kind: 'unknown', isUpdate: false });
    assert.equal(unread({ Body: 'words', MessageType: 'poll' }), undefined);
  });

  test('asks nothing when it changes or comments on another message', () => {
    for (const kind of [
      'reaction',
      'poll_vote',
      'poll-update',
      'message_edited',
      'revoked',
      'read_receipt',
      'system',
    ]) {
      assert.deepEqual(unread({ MessageType: kind }), { kind, isUpdate: true }, kind);
      assert.deepEqual(unread({ MessageType: kind, Body: '👍' }), { kind, isUpdate: true }, `${kind} with words`);
    }
  });
});

describe('what a message says without words', () => {
  test('characters without width are none', () => {
    for (const Body of ['\u200b', ' \u2060\ufeff ', '\u3164', '\u2800\u200d']) {
      const { text, unread } = messageOf(textMessage({ Body }));
      assert.equal(text, '');
      assert.ok(unread, JSON.stringify(Body));
    }
    assert.equal(messageOf(textMessage({ Body: '👨‍👩‍👧' })).text, '👨‍👩‍👧');
  });

  test('a place without coordinates has its name', () => {
    const fields = { Body: '', MessageType: 'location', Label: 'Harbour Café', Address: 'Pier 1' };
    const { text, location, unread } = messageOf(textMessage(fields));
    assert.deepEqual([text, location, unread], ['Harbour Café, Pier 1', undefined, undefined]);
  });

  test('the words of an ad are whole, and one with an address alone is one', () => {
    const long = 'offer '.repeat(80).trim();
    assert.equal(messageOf(textMessage({ ReferralBody: long })).referral?.body, long);
    assert.deepEqual(messageOf(textMessage({ ReferralSourceUrl: 'https://fb.me/x' })).referral, {});
  });
});

describe('a form that was filled in', () => {
  const formOf = (fields: Record<string, string>) => {
    const { text, form, unread } = messageOf(textMessage({ Body: 'Sent', MessageType: 'interactive', ...fields }));
    assert.equal(unread, undefined);
    return form === undefined ? { text } : { text, form };
  };
  const ANSWERS = {
    flow_token: 'order-7',
    screen_0_Your_name_0: 'Ana',
    screen_1_Guests_1: '1_4_people',
    date: '2026-12-24',
    extras: ['0_Breakfast', '2_Late_check-out'],
    agreed: true,
    note: '',
  };
  const LINES = 'Your name: Ana\nGuests: 4 people\ndate: 2026-12-24\nextras: Breakfast, Late check-out\nagreed: yes';

  test('has its answers as lines, in whichever field and however often it was packed', () => {
    const packed = JSON.stringify(ANSWERS);
    const envelope = { type: 'nfm_reply', nfm_reply: { name: 'flow', body: 'Sent', response_json: packed } };
    for (const fields of [
      { FlowData: packed },
      { FlowData: JSON.stringify(packed) },
      { FlowData: JSON.stringify({ data: packed }) },
      { InteractiveData: JSON.stringify(envelope) },
      { InteractiveData: JSON.stringify({ interactive: envelope }) },
      { FlowData: '', InteractiveData: packed, Body: '' },
    ]) {
      assert.deepEqual(formOf(fields), { text: '', form: LINES }, JSON.stringify(fields));
    }
  });

  test('keeps fields that are called like those of an envelope, numbered ones, and numbers with a line in them', () => {
    const answers = {
      type: 'double',
      version: 2,
      order: '2026_0815',
      address_line_1: 'Main St 1',
      address_line_2: '2nd',
    };
    assert.deepEqual(formOf({ FlowData: JSON.stringify(answers) }), {
      text: '',
      form: 'type: double\nversion: 2\norder: 2026_0815\naddress line 1: Main St 1\naddress line 2: 2nd',
    });
  });

  test('beside a pressed button is read, and the button’s own field is not', () => {
    const pressed = { ButtonPayload: 'YES', ButtonText: 'Yes', InteractiveData: JSON.stringify({ id: 'YES' }) };
    assert.deepEqual(formOf(pressed), { text: 'Yes' });
    assert.deepEqual(formOf({ ...pressed, FlowData: JSON.stringify({ guests: 4 }) }), {
      text: 'Yes',
      form: 'guests: 4',
    });
  });

  test('of any script and shape is read, and what was written beside it stays', () => {
    const FlowData = JSON.stringify({ नाम: 'अनीता', الاسم: 'ليلى', pages: [{ q: 'a' }, { q: 7 }] });
    assert.deepEqual(formOf({ FlowData, Body: 'thank you' }), {
      text: 'thank you',
      form: 'नाम: अनीता\nالاسم: ليلى\nq: a\nq: 7',
    });
  });

  test('never leaks, and has a bearable length', () => {
    assert.equal(formOf({ FlowData: JSON.stringify({ file: MEDIA_URL }) }).form, 'file: [MEDIA_CONTENT]');
    const long = JSON.stringify(Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`q${i}x`, 'y'.repeat(200)])));
    assert.equal(formOf({ FlowData: long }).form?.length, LONGEST_TEXT);
  });

  test('that is no JSON, or has no answers, is the message that it came with', () => {
    let deep = '"x"';
    for (let i = 0; i < 500; i++) deep = `[${deep}]`;
    const envelopes = `${'{"nfm_reply":'.repeat(10_000)}{}${'}'.repeat(10_000)}`;
    for (const FlowData of [envelopes, '{', 'Sent', '7', 'null', '{}', '[]', '{"flow_token":"x"}', deep]) {
      assert.deepEqual(formOf({ FlowData }), { text: 'Sent' }, FlowData.slice(0, 20));
    }
  });

  test('is no pressed button', () => {
    const InteractiveData = JSON.stringify({ type: 'button_reply', button_reply: { id: 'yes', title: 'Yes' } });
    assert.deepEqual(formOf({ ButtonText: 'Yes', ButtonPayload: 'yes', InteractiveData }), { text: 'Yes' });
  });
});

describe('a person who comes from an advertisement', () => {
  test('brings its words and ids along', () => {
    const fields = {
      ReferralHeadline: ' Winter sale ',
      ReferralBody: 'Tents 30 % off',
      ReferralSourceId: '120210000000000000',
      ReferralSourceUrl: 'https://fb.me/abc',
      ReferralNumMedia: '0',
    };
    const referral = { headline: 'Winter sale', body: 'Tents 30 % off', sourceId: '120210000000000000' };
    assert.deepEqual(messageOf(textMessage(fields)).referral, referral);
    for (const field of ['ReferralCtwaClid', 'CtwaClid']) {
      assert.deepEqual(messageOf(textMessage({ ...fields, [field]: 'ARAk-x_1' })).referral, {
        ...referral,
        clickId: 'ARAk-x_1',
      });
    }
  });

  test('without any of it comes from nowhere, and nothing of it leaks', () => {
    assert.equal(messageOf(textMessage({ ReferralNumMedia: '0', ReferralBody: ' ' })).referral, undefined);
    assert.deepEqual(messageOf(textMessage({ ReferralBody: MEDIA_URL, CtwaClid: 'a b' })).referral, {
      body: '[MEDIA_CONTENT]',
    });
  });
});

describe('a message that does not say which number it was sent to', () => {
  test('was sent to our own, if that is known', () => {
    const { To: _, ...fields } = textMessage();
    for (const To of [undefined, '', 'whatsapp:']) {
      const parsed = parse({ ...fields, ...(To === undefined ? {} : { To }) }, { ownNumber: '14155238886' });
      assert.equal(parsed.kind === 'message' && parsed.message.business, '14155238886');
    }
    assert.equal(messageOf(fields).business, '');
  });
});

describe('what is no message', () => {
  test('nobody', () => {
    const { From: _, ...anonymous } = textMessage();
    const nothing = [
      anonymous,
      textMessage({ From: '' }),
      textMessage({ From: 'whatsapp:' }),
      textMessage({ From: 'whatsapp:a b' }),
      textMessage({ From: `whatsapp:${'1'.repeat(1_000)}` }),
      {},
    ];
    for (const fields of nothing) {
      const parsed = parse(fields);
      assert.equal(parsed.kind, 'invalid', JSON.stringify(fields));
      assert.doesNotMatch(parsed.kind === 'invalid' ? parsed.reason : '', /\d{5}/);
    }
  });

  test('whatever comes, it is one of three', () => {
    const names = fc.constantFrom(
      ...Object.keys(textMessage()),
      'MessageStatus',
      'NumMedia',
      'MediaUrl0',
      'Latitude',
      '__proto__',
    );
    const pairs = fc.array(fc.tuple(names, fc.string({ unit: 'binary' })));
    fc.assert(
      fc.property(pairs, (fields) => assert.match(parseInbound(fields, CONTEXT).kind, /^(message|status|invalid)$/)),
    );
  });
});

describe('who wrote', () => {
  const personOf = (fields: Fields) => {
    const { from, aliases, contact } = messageOf(textMessage(fields));
    return { from, aliases, contact };
  };

  test('has every address that a field names, each once', () => {
    const id = `US.${'a'.repeat(128)}`;
    const fields = { ExternalUserId: `whatsapp:${id}`, ParentExternalUserId: 'whatsapp:US.ENT.1', WaId: '15550100101' };
    assert.deepEqual(personOf({ From: 'whatsapp:+15550100101', ...fields }), {
      from: '15550100101',
      aliases: [id, 'US.ENT.1'],
      contact: '15550100101',
    });
    assert.deepEqual(personOf({ From: `whatsapp:${id}`, ...fields, WaId: '' }), {
      from: id,
      aliases: ['US.ENT.1'],
      contact: id,
    });
  });

  test('is the same under both names of the field for the username id', () => {
    for (const field of ['ExternalUserId', 'ExternalUserIdentifier']) {
      assert.deepEqual(
        personOf({ From: 'whatsapp:+15550100101', ExternalUserId: '', [field]: 'whatsapp:US.1' }).aliases,
        ['US.1'],
      );
    }
  });

  test('is the same in both spellings of a number, and answers go to the one that was used', () => {
    assert.deepEqual(personOf({ From: 'whatsapp:+5215550100101', WaId: '525550100101', ExternalUserId: '' }), {
      from: '5215550100101',
      aliases: undefined,
      contact: '525550100101',
    });
  });

  test('has no alias that is no address', () => {
    const odd = { ExternalUserId: 'whatsapp: ', WaId: 'x'.repeat(161), ParentExternalUserId: 'two words' };
    assert.equal(personOf({ From: 'whatsapp:+15550100101', ...odd }).aliases, undefined);
  });
});

describe('a status', () => {
  const statusOf = (fields: Fields, url?: string) => {
    const parsed = parse({ ...sample('status_delivered'), ...fields }, { url });
    return parsed.kind === 'status' ? parsed.status : assert.fail(JSON.stringify(parsed));
  };

  test('is known by its MessageStatus alone', () => {
    assert.equal(parse(textMessage({ SmsStatus: 'delivered' })).kind, 'message');
    assert.equal(parse(textMessage({ MessageStatus: 'read' })).kind, 'status');
    for (const MessageStatus of ['received', 'Receiving', ' ', ''])
      assert.equal(parse(textMessage({ MessageStatus })).kind, 'message', MessageStatus);
  });

  test('has one of five states', () => {
    const states = Object.entries({
      accepted: 'queued',
      scheduled: 'queued',
      queued: 'queued',
      sending: 'queued',
      sent: 'sent',
      delivered: 'delivered',
      read: 'read',
      undelivered: 'failed',
      failed: 'failed',
      canceled: 'failed',
      'a new word': 'queued',
    });
    for (const [MessageStatus, state] of states) assert.equal(statusOf({ MessageStatus }).state, state);
  });

  test('says why it failed', () => {
    assert.equal(statusOf({ MessageStatus: 'failed', ErrorCode: '63016' }).errorCode, '63016');
    assert.ok(!('errorCode' in statusOf({ ErrorCode: '' })));
  });

  test('belongs to the reply that its address names', () => {
    assert.equal(statusOf({}, '/twilio/status?reply=0198-ab_C').replyId, '0198-ab_C');
    for (const url of ['/twilio/status', '/twilio/status?reply=', '/twilio/status?reply=a%20b', '?']) {
      assert.ok(!('replyId' in statusOf({}, url)), url);
    }
  });

  test('of no message is nothing', () => {
    assert.equal(parse({ MessageStatus: 'sent' }).kind, 'invalid');
  });
});
