import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import sharp from 'sharp';
import { barriers } from '../support/axe.ts';
import { eventually } from '../support/bot.ts';
import { NO_BROWSER, startBrowser, stillness, type TestBrowser } from '../support/browser.ts';
import { buildPages } from '../support/pages.ts';
import { type SimulatedBot, startSimulatedBot } from '../support/simulated-bot.ts';

const DESKTOP = { viewport: { width: 1440, height: 900 } };
const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

describe('the phone in the browser', { skip: NO_BROWSER }, () => {
  let bot: SimulatedBot;
  let browser: TestBrowser;

  before(async () => {
    const pages = await buildPages();
    [bot, browser] = await Promise.all([
      startSimulatedBot({ TWIML_DEADLINE_MS: '1000', RATE_LIMIT_PER_MINUTE: '1000' }, pages),
      startBrowser(),
    ]);
  });
  after(async () => {
    await browser?.close();
    await bot?.stop();
  });

  /** Holds somebody's phone; whatever the console complains of in the end fails the test. */
  async function hold(
    contact: string,
    run: (phone: TestPhone) => Promise<void>,
    options: BrowserContextOptions = DESKTOP,
  ) {
    const { page, context, complaints } = await browser.open(`${bot.url}/simulator/as/${contact}`, options);
    await run(phoneOn(page));
    assert.deepEqual(complaints, []);
    await context.close();
  }

  it('is no white page while it loads over a slow connection', async () => {
    const { page, context } = await browser.open('about:blank');
    let arrive = () => {};
    const slow = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    await page.route(/\.css$/, async (route) => {
      await slow;
      await route.continue();
    });
    await page.goto(`${bot.url}/simulator`, { waitUntil: 'commit' });
    await eventually('something is painted', async () => {
      // Before its first frame a page cannot be taken.
      const picture = await page.screenshot().catch(() => null);
      const { channels } = picture ? await sharp(picture).stats() : { channels: [] };
      return channels.some(({ stdev }) => stdev > 0);
    });
    arrive();
    await page.getByRole('textbox', { name: 'Message' }).waitFor();
    assert.equal(await page.getByText('Loading…').count(), 0);
    await context.close();
  });

  it('sends a text, shows it as read, and the answer', async () => {
    await hold('15550100123', async ({ page, say, answers, own }) => {
      await say('my name is Ana');
      await answers.filter({ hasText: 'Nice to meet you, Ana' }).waitFor();
      await own.last().locator('[data-ticks=read]').waitFor();
      await say('what is my name?');
      await answers.filter({ hasText: 'You told me your name is Ana' }).waitFor();
      await page.reload();
      await answers.filter({ hasText: 'You told me your name is Ana' }).waitFor();
      assert.equal(await own.count(), 2, 'the conversation is still there');
    });
  });

  it('shows WhatsApp’s formatting, and links that lead nowhere dangerous', async () => {
    await hold('15550100145', async ({ say, own }) => {
      await say(
        '*bold* _slanted_ ~gone~ `code`\n- one\n- two\n> quoted\nhttps://example.com/a?b=c. javascript:alert(1)',
      );
      const bubble = own.last();
      await bubble.locator('code').waitFor();
      assert.deepEqual(await bubble.locator('strong, em, s, code').allTextContents(), [
        'bold',
        'slanted',
        'gone',
        'code',
      ]);
      assert.deepEqual(await bubble.locator('li').allTextContents(), ['one', 'two']);
      assert.equal(await bubble.locator('blockquote').textContent(), 'quoted');
      const links = await bubble.locator('a').evaluateAll((all) => all.map((link) => link.getAttribute('href')));
      assert.deepEqual(links, ['https://example.com/a?b=c']);
    });
  });

  it('shows what looks like HTML as text, in messages and in names', async () => {
    const evil = '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>';
    await hold('15550100145', async ({ page, say, answers, own }) => {
      await page.getByRole('button', { name: 'Add a person' }).click();
      await page.getByLabel('Profile name').fill(evil.slice(0, 100));
      await page.getByLabel('Number or username id').fill('+1 (555) 010-0199');
      await page.getByRole('button', { name: 'Hold their phone' }).click();
      await page.getByRole('region', { name: 'The phone of <img src=x' }).waitFor();
      await say(evil);
      await answers.filter({ hasText: 'You wrote' }).waitFor();
      assert.ok((await own.last().innerText()).includes(evil));
      assert.equal(await page.locator('[onerror], #root script').count(), 0);
      assert.match(await page.title(), /^Recado/);
    });
  });

  it('gets one answer for five messages in a burst', async () => {
    await hold('447700900118', async ({ page, answers, own }) => {
      await page.getByRole('tab', { name: 'Try' }).click();
      await page.getByRole('button', { name: 'Five in a burst' }).click();
      await page.getByRole('status').filter({ hasText: 'answers all with one message' }).waitFor();
      await own.nth(4).locator('[data-ticks=read]').waitFor();
      await page.waitForTimeout(500);
      assert.equal(await answers.count(), 1);
    });
  });

  it('does not answer a second delivery', async () => {
    await hold('15550100177', async ({ page, say, answers, own }) => {
      await say('only once');
      await answers.first().waitFor();
      await page.getByRole('tab', { name: 'Try' }).click();
      await page.getByRole('button', { name: 'Deliver the last message again' }).click();
      await page.getByRole('status').filter({ hasText: 'no second answer' }).waitFor();
      await page.getByRole('tab', { name: 'Wire' }).click();
      await page.getByText('POST /whatsapp, delivery 2').waitFor();
      await page.getByRole('listitem').filter({ hasText: 'delivery 2' }).getByText('200', { exact: true }).waitFor();
      assert.deepEqual([await own.count(), await answers.count()], [1, 1]);
    });
  });

  it('sends pictures from a file, by pasting and by dropping, each as a message of its own', async () => {
    const jpeg = await sharp({ create: { width: 320, height: 200, channels: 3, background: '#1e50c8' } })
      .jpeg()
      .toBuffer();
    await hold('US.7Q2M9K4TXB3D', async ({ page, say, answers, own }) => {
      await page.setInputFiles('input[type=file] >> nth=0', { name: 'sea.jpg', mimeType: 'image/jpeg', buffer: jpeg });
      await give(page.getByRole('textbox'), 'paste', jpeg);
      await give(page.getByRole('log'), 'drop', jpeg);
      const tray = page.getByRole('list', { name: 'To be sent' }).locator('img');
      await tray.nth(2).waitFor();
      assert.equal(
        await page.locator('input[type=file]').first().inputValue(),
        '',
        'the same file can be chosen again',
      );
      assert.equal(await tray.count(), 3);
      await page
        .getByRole('button', { name: /^Leave out/ })
        .last()
        .click();
      await say('what a day');
      await answers
        .filter({ hasText: /2 pictures|320 × 200 pixels, mostly blue, and a picture of 320 × 200/ })
        .waitFor();
      assert.equal(await own.locator('img').count(), 2);
      assert.equal(await own.filter({ hasText: 'what a day' }).count(), 1);
    });
  });

  it('sends a voice note from a file, and from the microphone', async () => {
    await hold('15550100201', async ({ page, answers, own }) => {
      const voice = { name: 'note.wav', mimeType: 'audio/wav', buffer: silence(2.5) };
      await page.setInputFiles('input[type=file] >> nth=1', voice);
      await page.getByRole('button', { name: 'Send' }).click();
      await answers.filter({ hasText: '2.5 seconds long' }).waitFor();
      await page.getByRole('button', { name: 'Record a voice note' }).click();
      await page.waitForTimeout(1_300);
      await page.getByRole('button', { name: 'Done' }).click();
      await answers
        .filter({ hasText: /\d\.\d seconds long/ })
        .nth(1)
        .waitFor();
      assert.equal(await own.getByRole('button', { name: /^Play/ }).count(), 2);
    });
  });

  it('shares a place and presses a button', async () => {
    await hold('15550100202', async ({ page, answers }) => {
      await page.getByRole('button', { name: 'Attach' }).click();
      await page.getByRole('menuitem', { name: 'Location' }).click();
      await page.getByRole('button', { name: 'Share' }).click();
      await answers.filter({ hasText: 'You shared a place: Praça do Comércio' }).waitFor();
      await page.getByRole('button', { name: 'Attach' }).click();
      await page.getByRole('menuitem', { name: 'Quick reply' }).click();
      await page.getByRole('button', { name: 'Press it' }).click();
      await answers.filter({ hasText: 'CONFIRM' }).waitFor();
    });
  });

  it('shows a long answer in its parts, in order', async () => {
    await hold('15550100203', async ({ say, answers }) => {
      await say('write 3000 characters');
      await answers.nth(1).waitFor();
      const texts = await answers.allInnerTexts();
      const numbers = [...texts.join('\n').matchAll(/sentence (\d+) of/g)].map(([, n]) => Number(n));
      assert.ok(numbers.length > 30);
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
      );
    });
  });

  it('shows “typing…” and a slow answer that comes by REST', async () => {
    await hold('15550100204', async ({ page, say, answers, own }) => {
      await say('answer in 4 seconds');
      await page.getByRole('img', { name: 'Recado is typing' }).waitFor();
      await own.last().locator('[data-ticks=read]').waitFor();
      await answers.first().waitFor();
      await page.getByRole('img', { name: 'Recado is typing' }).waitFor({ state: 'detached' });
      await page.getByText('POST …/Messages.json').waitFor();
      await page.getByText('Typing.json').waitFor();
    });
  });

  it('shows what the model was shown, what Redis holds, and forgets both', async () => {
    await hold('15550100205', async ({ page, say, answers, own }) => {
      await say('remember that the shop opens at nine');
      await answers.first().waitFor();
      await page.getByRole('tab', { name: 'Model' }).click();
      const shown = page.getByRole('list', { name: 'What the model was shown' });
      assert.match(await page.getByRole('combobox', { name: 'Request' }).inputValue(), /· answer/);
      await shown.getByText('remember that the shop opens at nine', { exact: true }).waitFor();
      assert.match(await shown.innerText(), /system[\s\S]*\d+ tokens/);
      await page.getByRole('tab', { name: 'Memory' }).click();
      await page.getByText('c:15550100205:history').waitFor();
      await page.getByRole('tab', { name: 'Try' }).click();
      await page.getByRole('button', { name: 'Forget me' }).click();
      await page.getByRole('button', { name: 'Yes, everything' }).click();
      await own.first().waitFor({ state: 'detached' });
      await say('what do you remember?');
      await answers.filter({ hasText: 'Nothing yet' }).waitFor();
    });
  });

  it('lets the model and the files fail, and says so', async () => {
    await hold('15550100206', async ({ page, say, answers }) => {
      await page.getByRole('tab', { name: 'Try' }).click();
      await page.getByText('Refusing', { exact: true }).click();
      await page.getByText('401 for every request').waitFor();
      await say('anybody there?');
      await answers.filter({ hasText: 'Sorry, I cannot answer right now' }).waitFor();
      await page.getByText('Well', { exact: true }).click();
      await page.getByText('Requests go through').waitFor();
      const unreachable = page.getByRole('switch', { name: /^Unreachable/ });
      await unreachable.click();
      await unreachable.and(page.locator(':checked')).waitFor();
      const buffer = silence(1);
      await page.setInputFiles('input[type=file] >> nth=1', { name: 'gone.wav', mimeType: 'audio/wav', buffer });
      await page.getByRole('button', { name: 'Send' }).click();
      await answers.filter({ hasText: 'I cannot open it' }).waitFor();
      await unreachable.click();
      await unreachable.and(page.locator(':not(:checked)')).waitFor();
    });
  });

  it('tells of an answer on a phone that nobody looks at', async () => {
    await hold('15550100123', async ({ page, say }) => {
      await say('answer in 5 seconds');
      await page.getByRole('button', { name: 'Ben Okafor' }).click();
      await page.getByRole('button', { name: /Ana Torres.*1 new/ }).waitFor();
    });
  });

  it('writes to the Cloud API number, where messages are edited, reacted to and deleted', async () => {
    await hold('15550100211', async ({ page, say, answers, own }) => {
      await page.getByText('Cloud API number').click();
      await page.waitForURL(/number=meta$/);
      await say('a table for eight');
      await answers.filter({ hasText: 'You wrote' }).waitFor();
      await own.last().locator('[data-ticks=read]').waitFor();
      const menuOf = (bubble: Locator) => bubble.getByRole('button', { name: 'About this message' }).click();

      await menuOf(own.last());
      await page.getByRole('menuitem', { name: 'Edit' }).click();
      await page.getByRole('textbox', { name: 'It says now' }).fill('a table for nine');
      await page.getByRole('button', { name: 'Send the edit' }).click();
      await own.filter({ hasText: 'a table for nine' }).filter({ hasText: 'edited' }).waitFor();

      await menuOf(answers.last());
      await page.getByRole('menuitem', { name: 'React with 👍' }).click();
      await answers.getByRole('img', { name: 'Your reaction: 👍' }).waitFor();
      await menuOf(own.last());
      await page.getByRole('menuitem', { name: 'Delete for everyone' }).click();
      await own.filter({ hasText: 'You deleted this message' }).waitFor();

      await page.getByRole('button', { name: 'Attach' }).click();
      await page.getByRole('menuitem', { name: 'Contact' }).click();
      await page.getByRole('button', { name: 'Share it' }).click();
      await own.filter({ hasText: '+1 555 010 0145' }).waitFor();
      await page.getByText('POST …/messages, read').first().waitFor();
      await page.getByText('POST /webhook').first().waitFor();
      await page.getByText('Twilio number').click();
      assert.equal(await own.count(), 0, 'each number has a conversation of its own');
    });
  });

  it('lets another responder answer, and passes the conversation back to the bot', async () => {
    await hold('15550100212?number=meta', async ({ page, say, answers, own }) => {
      await say('hello');
      await answers.first().waitFor();
      await page.getByRole('tab', { name: 'Try' }).click();
      await page.getByRole('switch', { name: /^Another responder/ }).click();
      await page.getByText('Another responder answers here').waitFor();
      await say('to the other one');
      await page.getByRole('tab', { name: 'Wire' }).click();
      await page.locator('summary').filter({ hasText: 'to the other one' }).filter({ hasText: '200' }).waitFor();
      assert.deepEqual([await own.count(), await answers.count()], [2, 1]);
      await page.getByRole('button', { name: 'Pass to the bot' }).click();
      await page.getByText('the control is passed to the bot').waitFor();
      await say('and now?');
      await answers.nth(1).waitFor();
      assert.equal(await page.getByText('Another responder answers here').count(), 0);
    });
  });

  for (const [name, options] of Object.entries({ 'on a desktop': DESKTOP, '360 pixels wide': PHONE })) {
    for (const colorScheme of ['light', 'dark'] as const) {
      it(`is usable for everybody ${name}, ${colorScheme}`, async () => {
        const run = async ({ page, say, answers }: TestPhone) => {
          await say('Hello, *you*');
          await answers.first().waitFor();
          await page.locator('[data-ticks=read]').first().waitFor();
          assert.equal(await page.locator('html').getAttribute('data-mantine-color-scheme'), colorScheme);
          const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
          assert.equal(overflow, 0, 'nothing sticks out to the side');
          assert.deepEqual(await barriers(page), []);
          if (options === PHONE)
            await page.getByRole('button', { name: 'Open the developers’ drawer' }).first().click();
          for (const tab of ['Wire', 'Model', 'Memory', 'Try']) {
            await page.getByRole('tab', { name: tab }).click();
            await stillness(page);
            assert.deepEqual(await barriers(page), [], tab);
          }
        };
        await hold('15550100207', run, { ...options, colorScheme });
        await hold('15550100209?number=meta', run, { ...options, colorScheme });
      });
    }
  }

  it('can be used with the keyboard alone', async () => {
    await hold('15550100208', async ({ page, answers }) => {
      // The page puts the focus there once it has loaded.
      await page.getByRole('textbox', { name: 'Message to Recado' }).and(page.locator(':focus')).waitFor();
      await page.keyboard.type('first line');
      await page.keyboard.press('Shift+Enter');
      await page.keyboard.type('second line');
      await page.keyboard.press('Enter');
      await answers.filter({ hasText: 'second line' }).waitFor();
      await page.keyboard.press('Shift+Tab');
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: '😀' }).and(page.locator(':focus')).waitFor();
      await page.keyboard.press('Enter');
      assert.equal(await page.getByRole('textbox', { name: 'Message to Recado' }).inputValue(), '😀');
    });
  });
});

interface TestPhone {
  page: Page;
  say: (text: string) => Promise<void>;
  /** Bubbles. */
  answers: Locator;
  own: Locator;
}

function phoneOn(page: Page): TestPhone {
  const bubbles = page.getByRole('log').locator('li[data-mine]');
  const field = page.getByRole('textbox', { name: 'Message to Recado' });
  return {
    page,
    async say(text) {
      await field.fill(text);
      await field.press('Enter');
    },
    answers: bubbles.and(page.locator('[data-mine=false]')),
    own: bubbles.and(page.locator('[data-mine=true]')),
  };
}

/** Pastes or drops a picture. */
async function give(target: Locator, how: 'paste' | 'drop', jpeg: Buffer): Promise<void> {
  await target.evaluate(GIVE, { how, bytes: [...jpeg] });
}

/** Runs in the page, whose words these tests do not know; its source is what goes there. */
const GIVE = new Function(
  'element',
  'given',
  `const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(given.bytes)], given.how + '.jpg', { type: 'image/jpeg' }));
  const init = { bubbles: true, cancelable: true, clipboardData: data, dataTransfer: data };
  element.dispatchEvent(given.how === 'paste' ? new ClipboardEvent('paste', init) : new DragEvent('drop', init));`,
  // Its two arguments, as they are named above.
) as (element: unknown, given: { how: string; bytes: number[] }) => void;

/** Mono, 8 kHz, 16 bits. */
function silence(seconds: number): Buffer {
  const samples = Buffer.alloc(seconds * 16_000);
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + samples.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8_000, 24);
  head.writeUInt32LE(16_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}
