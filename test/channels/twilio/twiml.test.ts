import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import MessagingResponse from 'twilio/lib/twiml/MessagingResponse.js';
import { EMPTY_TWIML, messagesTwiml, sendable } from '../../../app/channels/twilio/twiml.ts';
import { scrub } from '../../../app/privacy/scrub.ts';
import { textsIn } from '../../support/webhook.ts';

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>';

test('nothing to say is an empty response', () => {
  assert.equal(EMPTY_TWIML, `${HEAD}<Response/>`);
  assert.equal(messagesTwiml([scrub(''), scrub(' \n'), scrub('\u0000')]), EMPTY_TWIML);
});

describe('texts', () => {
  test('become messages in their order, each with the address for its status', () => {
    const statusCallback = 'https://bot.example.com/twilio/status?reply=1&x=2';
    const attribute = 'statusCallback="https://bot.example.com/twilio/status?reply=1&amp;x=2"';
    assert.equal(
      messagesTwiml([scrub('one'), scrub('two')], () => statusCallback),
      `${HEAD}<Response><Message ${attribute}>one</Message><Message ${attribute}>two</Message></Response>`,
    );
  });

  test('arrive as they are', () => {
    const text = scrub('a < b & c > "d" \'e\'\n\n  tabs\tand 😀 👨‍👩‍👧 ]]> &amp; <Message>');
    assert.deepEqual(textsIn(messagesTwiml([text])), [text]);
  });

  test('lose what XML does not allow', () => {
    const text = scrub('a\u0000b\u000bc\ud800d\udc00e\uffffg\u001f\r\nh\u007f');
    assert.deepEqual(textsIn(messagesTwiml([text])), ['abcdeg\nh\u007f']);
  });

  test("are written as Twilio's own builder writes them", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom(...'ab &<>"\'\r\n\t]é😀') })),
        fc.boolean(),
        (texts, isTold) => {
          const statusCallback = 'https://bot.example.com/twilio/status?reply=1&part=2';
          const response = new MessagingResponse();
          for (const text of texts)
            if (text.trim() !== '') response.message(isTold ? { statusCallback } : {}, sendable(text));
          const ours = messagesTwiml(texts.map(scrub), () => (isTold ? statusCallback : undefined));
          assert.equal(ours, response.toString());
        },
      ),
    );
  });

  test('of any kind can be sent', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
        const sent = sendable(text);
        assert.deepEqual(textsIn(messagesTwiml([scrub(text)])), sent.trim() === '' ? [] : [sendable(scrub(text))]);
      }),
    );
  });
});
