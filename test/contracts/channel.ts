/** What every `Channel` must do, whoever carries the messages. Run by the test of each implementation. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Channel, Recipient } from '../../app/channels/channel.ts';
import { type FailureCode, isFailure } from '../../app/errors.ts';
import { type Extra, type TemplateRef, templateName } from '../../app/message.ts';
import { scrub } from '../../app/privacy/scrub.ts';

/** What the provider does to the next request instead of answering it. */
export type ProviderFault =
  | 'rate-limited'
  | 'server-error'
  | 'server-error-after-sending'
  | 'reset'
  | 'hang'
  | 'hang-in-the-answer'
  | 'wrong-credentials'
  | 'empty-error'
  | 'nonsense-after-sending';

export interface ChannelUnderTest {
  channel: Channel;
  /** Somebody who may be written to. */
  to: Recipient;
  /** The id of a message of theirs. */
  messageId: string;
  /** What the provider keeps, in order. */
  stored(): { contact: string; business: string; text: string; id: string }[];
  /** Of a template of the provider: approved, of two variables of its body, `{{1}}` and `{{2}}`. */
  template?: TemplateRef;
  /** Templates that the provider took, in order. */
  storedTemplates?(): { contact: string; business: string; variables: string[]; id: string }[];
  /** What went with messages, in order: where the file is, or the titles that can be pressed. */
  storedExtras?(): { id: string; text: string; what: string[] }[];
  /** Changes when the latest message was made, unix ms. */
  backdate(at: number): void;
  /** Ids of messages that were shown as being answered. */
  typing(): string[];
  fail(fault: ProviderFault): void;
  /** One of the provider's error codes that the channel explains. */
  knownCode: string;
  /** Names a file of the provider. */
  ref: string;
  /** The provider is gone: nobody listens. */
  stopProvider(): Promise<void>;
  /** Releases everything, also after `stopProvider`. */
  close(): Promise<void>;
}

const SECRET_TEXT = 'a text that is nobody else’s business';

/** A provider that never answers is given up soon in these tests; one that does may be slow, as a busy machine makes it. */
const PATIENCE_MS = 30_000;
const IMPATIENCE_MS = 300;
const NEVER_ANSWERS = new Set<ProviderFault>(['hang', 'hang-in-the-answer']);

/**
 * @param start is called for each test with the time after which the channel gives a request up.
 * @param hasTemplates does the provider approve messages before?
 * @param traces does the provider list what was sent, or report it by the name that we gave it?
 */
export function channelContract(
  name: string,
  start: (timeoutMs: number) => Promise<ChannelUnderTest>,
  traces: 'list' | 'reports' = 'list',
  hasTemplates = true,
): void {
  describe(`${name}, as a channel`, () => {
    let tested: ChannelUnderTest;
    beforeEach(async () => {
      tested = await start(PATIENCE_MS);
    });
    afterEach(() => tested.close());

    async function fail(fault: ProviderFault) {
      if (NEVER_ANSWERS.has(fault)) {
        await tested.close();
        tested = await start(IMPATIENCE_MS);
      }
      tested.fail(fault);
    }

    const send = (text: string, to = tested.to) => tested.channel.send(to, scrub(text), PART);
    const PART = { replyId: 'reply-1', part: 0 };
    const findSent = async (text: string, since = Date.now() - 60_000, to = tested.to) => {
      if ('findSent' in tested.channel) return tested.channel.findSent(to, scrub(text), since);
      return [await tested.channel.sentAs(PART)].filter((id) => id !== null);
    };

    test('sends a text as it is', async () => {
      const texts = [
        'hello',
        'two\nlines & <b> "c" 100 % + ü',
        '👨‍👩‍👧‍👦 *bold*',
        'x'.repeat(tested.channel.limits.textLength),
      ];
      const ids: string[] = [];
      for (const text of texts) ids.push(await send(text));
      const { business, address: contact } = tested.to;
      assert.deepEqual(
        tested.stored(),
        texts.map((text, i) => ({ business, contact, text, id: ids[i] })),
      );
    });

    describe('templates', { skip: hasTemplates ? false : 'its provider has none' }, () => {
      const variables = { '1': scrub('Ana'), '2': scrub('12 May') };
      const known = () => tested.template ?? assert.fail('a channel with templates has one');
      const sendOne = (template: TemplateRef) =>
        tested.channel.sendTemplate?.(tested.to, { template, variables }, PART) ?? assert.fail('it has no templates');

      test('are sent with their variables', async () => {
        const { sid, answer } = await sendOne(known());
        const { business, address: contact } = tested.to;
        assert.deepEqual(tested.storedTemplates?.(), [{ contact, business, variables: ['Ana', '12 May'], id: sid }]);
        assert.ok(JSON.stringify(answer).includes(sid), 'the answer of the provider is passed on');
      });

      test('are listed as the team reads them', async () => {
        const { channel } = tested;
        const template = known();
        const listed = (await channel.templates?.()) ?? [];
        const found = listed.find(({ ref }) => templateName(ref) === templateName(template));
        assert.equal(found?.state, 'approved');
        assert.deepEqual(found?.variables, ['1', '2']);
        assert.equal(found?.body, 'Hello {{1}}, your table on {{2}} is booked.');
        assert.deepEqual([...new Set(listed.map(({ state }) => state))].sort(), ['approved', 'paused', 'rejected']);
      });

      test('that the provider does not know, or has paused, are refused', async () => {
        const { channel } = tested;
        const template = known();
        const paused = (await channel.templates?.())?.find(({ state }) => state === 'paused');
        const unknown: TemplateRef =
          'name' in template ? { name: 'no_such_one', language: 'en' } : { contentSid: `HX${'0'.repeat(32)}` };
        for (const ref of [unknown, paused?.ref ?? assert.fail('none is paused')])
          assert.equal((await failureOf(sendOne(ref))).code, 'channel.template');
        assert.deepEqual(tested.storedTemplates?.(), []);
      });

      test('it is not known whether one was sent: the provider knows', async () => {
        tested.fail('server-error-after-sending');
        assert.equal((await failureOf(sendOne(known()))).code, 'channel.ambiguous');
        assert.deepEqual(
          await findSent('Hello Ana, your table on 12 May is booked.'),
          tested.storedTemplates?.().map(({ id }) => id),
        );
      });
    });

    describe('what goes with a text', { skip: hasTemplates ? false : 'nothing can' }, () => {
      const sendWith = (text: string, extra: Extra) =>
        tested.channel.sendWith?.(tested.to, scrub(text), extra, PART) ?? assert.fail('nothing can go with a text');

      test('is a file, with words or without', async () => {
        const file = { kind: 'file' as const, type: 'image' as const, link: 'https://example.com/menu.jpg' };
        const ids = [await sendWith('Our menu', file), await sendWith('', file)];
        assert.deepEqual(tested.storedExtras?.(), [
          { id: ids[0], text: 'Our menu', what: [file.link] },
          { id: ids[1], text: '', what: [file.link] },
        ]);
      });

      test('is what can be pressed: a few as buttons, many as a list', async (t) => {
        if (!tested.channel.extras?.includes('choices')) return t.diagnostic('its provider needs a template for it');
        for (const count of [2, 10]) {
          const titles = Array.from({ length: count }, (_, i) => scrub(`Table ${i + 1}`));
          const choices = titles.map((title, i) => ({ id: `t${i}`, title }));
          const id = await sendWith('Which one?', { kind: 'choices', choices, label: scrub('Tables') });
          assert.deepEqual(tested.storedExtras?.().at(-1), { id, text: 'Which one?', what: titles });
        }
      });
    });

    test('sends to a person without a phone number', async () => {
      const address = 'US.1A2b3C4d5E6f';
      await send('hello', { ...tested.to, address });
      assert.deepEqual(
        tested.stored().map((message) => message.contact),
        [address],
      );
    });

    test('does not send what is too long', async () => {
      const failure = await failureOf(send('x'.repeat(tested.channel.limits.textLength + 1)));
      assert.equal(failure.code, 'channel.rejected');
      assert.deepEqual(tested.stored(), []);
    });

    test('shows that an answer is being written', async () => {
      await tested.channel.typing(tested.to, tested.messageId);
      assert.deepEqual(tested.typing(), [tested.messageId]);
    });

    describe('looking for what was sent', { skip: traces === 'list' ? false : 'its provider has no list' }, () => {
      test('finds the same text to the same person, newest first', async () => {
        const older = await send('the same');
        tested.backdate(Date.now() - 30_000);
        const newer = await send('the same');
        await send('the same but for this');
        await send('the same', { ...tested.to, address: '15550100199' });
        assert.deepEqual(await findSent('the same'), [newer, older]);
        assert.deepEqual(await findSent('never sent'), []);
      });

      test('does not find what is older', async () => {
        await send('yes');
        tested.backdate(Date.now() - 10_000);
        assert.deepEqual(await findSent('yes', Date.now() - 5_000), []);
        assert.equal((await findSent('yes', Date.now() - 15_000)).length, 1);
      });

      test('finds a text that begins and ends with white space, in many lines', async () => {
        const id = await send('  one\n\ntwo \n');
        assert.deepEqual(await findSent('  one\n\ntwo \n'), [id]);
      });
    });

    describe('when sending fails', () => {
      const outcomes: [ProviderFault, FailureCode][] = [
        ['rate-limited', 'channel.rate_limited'],
        ['server-error', 'channel.ambiguous'],
        ['reset', 'channel.ambiguous'],
        ['hang', 'channel.ambiguous'],
        ['hang-in-the-answer', 'channel.ambiguous'],
        ['wrong-credentials', 'channel.credentials'],
        ['empty-error', 'channel.ambiguous'],
      ];
      for (const [fault, code] of outcomes) {
        test(`${fault}: ${code}`, async () => {
          await fail(fault);
          const failure = await failureOf(send(SECRET_TEXT));
          assert.equal(failure.code, code);
          assert.deepEqual(tested.stored(), []);
        });
      }

      test('nobody there: it has certainly not been sent', async () => {
        await tested.stopProvider();
        assert.equal((await failureOf(send(SECRET_TEXT))).code, 'channel.unreachable');
      });

      test('an error tells nothing about the person and the text', async () => {
        tested.fail('server-error');
        const failure = await failureOf(send(SECRET_TEXT));
        for (const told of [failure.message, String(failure.cause), JSON.stringify(failure.cause ?? '')]) {
          assert.ok(!told.includes(SECRET_TEXT) && !told.includes(tested.to.address), told);
        }
      });

      for (const fault of ['server-error-after-sending', 'nonsense-after-sending'] as const) {
        test(`${fault}: the provider knows that it was sent`, async () => {
          tested.fail(fault);
          assert.equal((await failureOf(send('maybe'))).code, 'channel.ambiguous');
          assert.deepEqual(
            await findSent('maybe'),
            tested.stored().map(({ id }) => id),
          );
          assert.equal(tested.stored().length, 1);
        });
      }

      test('it is not tried again behind our back, and the next one is sent', async () => {
        tested.fail('rate-limited');
        await failureOf(send('first'));
        await send('second');
        assert.deepEqual(
          tested.stored().map(({ text }) => text),
          ['second'],
        );
      });
    });

    describe('what may be repeated is never ambiguous:', () => {
      for (const fault of ['server-error', 'reset', 'hang'] as const) {
        const skip = traces === 'list' ? false : 'its provider is not asked';
        test(`${fault} while looking for what was sent`, { skip }, async () => {
          await fail(fault);
          assert.equal((await failureOf(findSent('text'))).code, 'channel.unreachable');
        });

        test(`${fault} while showing that an answer is being written`, async () => {
          await fail(fault);
          const typing = tested.channel.typing(tested.to, tested.messageId);
          assert.equal((await failureOf(typing)).code, 'channel.unreachable');
        });
      }
    });

    test('explains the codes of its provider, and no others', () => {
      assert.match(tested.channel.explain(tested.knownCode) ?? '', /^[A-Z].+\.$/);
      assert.equal(tested.channel.explain('no code at all'), null);
    });

    test('downloads a file by its name', async () => {
      assert.ok((await tested.channel.download(tested.ref)).length > 0);
    });

    test('gives up when it is told to', async () => {
      const aborted = AbortSignal.abort();
      const attempts = [
        tested.channel.send(tested.to, scrub('x'), PART, aborted),
        tested.channel.typing(tested.to, tested.messageId, aborted),
        'findSent' in tested.channel
          ? tested.channel.findSent(tested.to, scrub('x'), 0, aborted)
          : tested.channel.sentAs(PART, aborted),
      ];
      for (const attempt of attempts) assert.match((await failureOf(attempt)).code, /^channel\./);
      assert.deepEqual(tested.stored(), []);
    });
  });
}

async function failureOf(attempt: Promise<unknown>) {
  const error: unknown = await attempt.then(
    () => assert.fail('it did not fail'),
    (reason) => reason,
  );
  assert.ok(isFailure(error), String(error));
  return error;
}
