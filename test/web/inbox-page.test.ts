import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { sql } from 'kysely';
import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import sharp from 'sharp';
import { NO_PURPOSE } from '../../app/conversation/purpose.ts';
import { encodeEvent } from '../../app/events.ts';
import { createAliases } from '../../app/memory/aliases.ts';
import { createScripts } from '../../app/memory/redis.ts';
import { createSuspects } from '../../app/memory/suspects.ts';
import { createThreads, markOf } from '../../app/memory/threads.ts';
import { scrub } from '../../app/privacy/scrub.ts';
import { newSid } from '../doubles/twilio.ts';
import { PASSWORD } from '../inbox/desk.ts';
import { barriers } from '../support/axe.ts';
import { eventually } from '../support/bot.ts';
import { NO_BROWSER, startBrowser, stillness, type TestBrowser } from '../support/browser.ts';
import { TABLE_BOOKED_SID, TWILIO_TEMPLATES } from '../support/templates.ts';
import { DAY_MS, type InboxDesk, startInboxDesk } from './inbox-desk.ts';

const DESKTOP = { viewport: { width: 1440, height: 900 } };
const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

const ANA = '15550100101';
const BEN = '15550100102';
const CHLOE = '15550100103';
const DAN = '15550100104';
const LATE = '15550100105';
const MALLORY = '15550100106';

describe('the inbox in the browser', { skip: NO_BROWSER }, () => {
  let desk: InboxDesk;
  let browser: TestBrowser;

  before(async () => {
    [desk, browser] = await Promise.all([startInboxDesk(), startBrowser()]);
    await furnish(desk);
  });
  after(async () => {
    await browser?.close();
    await desk?.stop();
  });

  /** Somebody sits down at the desk; whatever the console complains of in the end fails the test. */
  async function sit(run: (inbox: Inbox) => Promise<void>, path = '', options: BrowserContextOptions = DESKTOP) {
    const { page, context, complaints } = await browser.open(desk.page + path, options);
    await signIn(page, PASSWORD);
    await run(inboxOn(page));
    assert.deepEqual(complaints.filter(isComplaint), []);
    await context.close();
  }

  it('opens for the password alone, and closes again', async () => {
    const { page, context, complaints } = await browser.open(desk.page, DESKTOP);
    await page.getByRole('textbox', { name: 'Password' }).waitFor();
    assert.deepEqual(complaints, [], 'asking who one is, is nothing to complain of');
    await signIn(page, 'not the password');
    await page.getByText('Wrong password.').waitFor();
    assert.equal(await page.getByRole('navigation').or(page.getByRole('tablist')).count(), 0);
    await signIn(page, PASSWORD);
    await page.getByText('Live', { exact: true }).waitFor();
    await page.reload();
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('textbox', { name: 'Password' }).waitFor();
    await page.goto(`${desk.page}/tasks`);
    await page.getByRole('textbox', { name: 'Password' }).waitFor();
    await context.close();
  });

  it('shows the sign-in when the session has ended meanwhile', async () => {
    await sit(async ({ page, row }) => {
      await row('Ana Torres').waitFor();
      await page.context().clearCookies();
      // A request in the background may notice first: then there is no row any more.
      await row('Ana Torres')
        .click({ timeout: 2_000 })
        .catch(() => {});
      await page.getByRole('textbox', { name: 'Password' }).waitFor();
    });
  });

  it('shows what the operator should mend, above every page', async () => {
    desk.notices.push({ code: 'purpose.missing', text: NO_PURPOSE });
    try {
      for (const options of [DESKTOP, PHONE])
        await sit(
          async ({ page }) => {
            await page.getByText('The assistant has no purpose yet').waitFor();
            assert.deepEqual(await barriers(page), []);
          },
          '/tasks',
          options,
        );
    } finally {
      desk.notices.length = 0;
    }
  });

  it('shows what looks like spam in the list and in the conversation, and takes the word of the team', async () => {
    await suspect(desk, '15550100187', 'Spam Sam');
    await suspect(desk, '15550100188', 'Spam Pam');
    await sit(async ({ page, open, row }) => {
      const notes = (name: string) => page.getByRole('group', { name: `Spam from ${name}?` });
      await notes('Spam Sam').waitFor();
      const words = await notes('Spam Sam').innerText();
      assert.match(words, /^Looks like spam, 100 of 100: the same text again and again; many messages with links\./);
      assert.match(words, /The bot does not answer until \d\d:\d\d\./);
      await open('Spam Sam');
      await page.getByText('Bot does not answer', { exact: true }).waitFor();
      await eventually('it is in the conversation, too', async () => (await notes('Spam Sam').count()) === 2);
      await page.getByRole('button', { name: 'Not spam: Spam Sam' }).last().click();
      await page.getByText('Spam Sam: not spam.').waitFor();
      await page.getByText('Bot is answering').waitFor();
      await eventually('it is said no more', async () => (await notes('Spam Sam').count()) === 0);
      assert.deepEqual((await desk.say('15550100187', 'at last')).texts, ['You said: at last']);

      await page.getByRole('combobox', { name: 'Status' }).click();
      await page.getByRole('option', { name: 'Looks like spam' }).click();
      await row('Spam Sam').waitFor({ state: 'detached' });
      await page.getByRole('button', { name: 'Block Spam Pam' }).click();
      await page.getByText('blocked. The bot neither answers').waitFor();
      await row('Spam Pam').waitFor({ state: 'detached' });
      assert.deepEqual((await desk.say('15550100188', 'hello?')).texts, []);
    });
  });

  for (const [name, options] of Object.entries({ 'on a desktop': DESKTOP, '360 pixels wide': PHONE }))
    for (const colorScheme of ['light', 'dark'] as const)
      it(`shows what looks like spam to everybody ${name}, ${colorScheme}`, async () => {
        await suspect(desk, '15550100189', 'Spam Kim');
        await sit(
          async ({ page, open }) => {
            for (const look of [async () => {}, () => open('Spam Kim')]) {
              await look();
              await page.getByRole('group', { name: 'Spam from Spam Kim?' }).last().waitFor();
              await stillness(page);
              assert.equal(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0);
              assert.deepEqual(await barriers(page), []);
            }
          },
          '',
          { ...options, colorScheme },
        );
      });

  it('shows that another responder answers, what it said, and that a message takes the conversation', async () => {
    await shareWithOther(desk, '15550100190', 'Shared Sue');
    for (const [options, colorScheme] of [
      [DESKTOP, 'light'],
      [PHONE, 'dark'],
    ] as const)
      await sit(
        async ({ page, open }) => {
          await open('Shared Sue');
          await page.getByRole('group', { name: 'Who answers Shared Sue' }).waitFor();
          await page.getByText('Another responder', { exact: true }).first().waitFor();
          await page.getByText('We bake it for 20 euros').last().waitFor();
          await stillness(page);
          assert.equal(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0);
          assert.deepEqual(await barriers(page), []);
        },
        '',
        { ...options, colorScheme },
      );
    await sit(async ({ page, open, reply }) => {
      await open('Shared Sue');
      await page.getByText('Bot is silent', { exact: true }).waitFor();
      await page.getByRole('button', { name: 'Take this conversation' }).click();
      await page.getByText('no other responders').waitFor();
      await reply.fill('Kim here');
      await page.getByRole('button', { name: 'Send' }).click();
      await page.getByText(/^Bot is paused until/).waitFor();
      await page.getByRole('group', { name: 'Who answers Shared Sue' }).waitFor({ state: 'detached' });
    });
  });

  it('shows a message as it arrives, in the list and in the open conversation', async () => {
    await sit(async ({ row, open, bubbles }) => {
      await open('Ana Torres');
      await desk.say(BEN, 'are you there already?', { ProfileName: 'Ben Okafor' });
      await row('Ben Okafor').filter({ hasText: 'are you there already?' }).waitFor();
      await row('Ben Okafor').filter({ hasText: 'unread' }).waitFor();
      await desk.say(ANA, 'and I am here too', { ProfileName: 'Ana Torres' });
      await bubbles.filter({ hasText: 'You said: and I am here too' }).waitFor();
    });
  });

  it('marks as read what somebody looks at', async () => {
    await desk.say(DAN, 'has anybody seen this?', { ProfileName: 'Dan' });
    await sit(async ({ row, open }) => {
      await row('Dan').filter({ hasText: 'unread' }).waitFor();
      await open('Dan');
      await row('Dan').filter({ hasNotText: 'unread' }).waitFor();
      await eventually('the archive knows', async () => {
        const { body } = await desk.ask('GET', `/api/whatsapp/conversation/${DAN}`);
        return body.conversation.unread_count === 0;
      });
    });
  });

  it('filters by kind, sentiment and status, and searches', async () => {
    await sit(async ({ page, rows, row }) => {
      const shows = async (...names: string[]) => {
        await eventually(`exactly ${names}`, async () => {
          const texts = await rows.allInnerTexts();
          return texts.length === names.length && names.every((name) => texts.some((text) => text.includes(name)));
        });
      };
      const choose = (name: string) =>
        page.getByRole('radiogroup', { name: 'Show' }).getByText(name, { exact: true }).click();
      await choose('Voice');
      await shows('Chloé');
      await choose('Picture');
      await shows('Ana Torres');
      await choose('Tasks');
      await shows('Ben Okafor');
      await choose('All');
      await page.getByRole('combobox', { name: 'Sentiment' }).click();
      await page.getByRole('option', { name: 'urgent' }).click();
      await shows('Ben Okafor');
      await page.getByRole('combobox', { name: 'Sentiment' }).click();
      await page.getByRole('option', { name: 'urgent' }).click();
      await page.getByRole('textbox', { name: 'Search conversations' }).fill('elephant');
      await shows('Late Larry');
      await page.getByRole('textbox', { name: 'Search conversations' }).fill('no such word anywhere');
      await page.getByText('No conversation matches these filters.').waitFor();
      await page.getByRole('button', { name: 'Clear the search' }).click();
      await row('Ana Torres').waitFor();
    });
  });

  it('shows pictures, voice with its transcript, and what the analysis made of a message beside it', async () => {
    await sit(async ({ page, open, bubbles }) => {
      await open('Ana Torres');
      const picture = page.getByRole('img', { name: 'Sent by Ana Torres' });
      await eventually(
        'the picture is there',
        async () => (await picture.evaluate((img) => 'naturalWidth' in img && img.naturalWidth)) === 320,
      );
      await open('Chloé');
      await bubbles.filter({ hasText: 'Hello from a voice note.' }).getByRole('button', { name: /^Play/ }).waitFor();
      await open('Ben Okafor');
      const note = page.getByRole('complementary', { name: 'Analysis' }).filter({ hasText: 'urgent meeting' });
      assert.match(
        await note.innerText(),
        /Urgent[\s\S]*scheduling[\s\S]*John Smith[\s\S]*ABC Corp[\s\S]*next Tuesday/,
      );
      await note.getByRole('link', { name: /Schedule a meeting/ }).click();
      await page.getByRole('heading', { name: 'To do' }).waitFor();
    });
  });

  it('answers from the desk, and the answer reaches the phone', async () => {
    await sit(async ({ page, open, bubbles, reply }) => {
      await open('Dan');
      await page.keyboard.press('r');
      await reply.and(page.locator(':focus')).waitFor();
      await reply.fill('This is a person writing');
      await reply.press('Control+Enter');
      const own = bubbles.filter({ hasText: 'This is a person writing' });
      await own.locator('[data-ticks]').waitFor();
      assert.equal(await own.count(), 1, 'what was shown at once gave way to what the archive has');
      const sent = desk.doubles.twilio.sent.at(-1);
      assert.deepEqual([sent?.to, sent?.body], [`whatsapp:+${DAN}`, 'This is a person writing']);
    });
  });

  it('shows that somebody else is writing to the same contact', async () => {
    const NOTICE = 'Somebody else is writing to this contact.';
    await sit(async ({ page, open }) => {
      await open('Ben Okafor');
      await sit(async (other) => {
        await other.open('Ben Okafor');
        await other.reply.fill('I am on it');
        await page.getByText(NOTICE).waitFor();
        assert.equal(await other.page.getByText(NOTICE).count(), 0, 'not to whoever writes');
      });
      await page.getByText(NOTICE).waitFor({ state: 'hidden' });
    });
  });

  it('says why an answer was not sent, and sends it again', async () => {
    await sit(async ({ page, open, bubbles, reply }) => {
      await open('Dan');
      desk.doubles.twilio.faults.push({ kind: 'status', status: 400, code: 63016, message: 'no', on: 'create' });
      await page.getByRole('button', { name: 'Ready-made answers' }).click();
      await page.getByRole('menuitem', { name: /^Could you please/ }).click();
      await reply.press('Control+Enter');
      await page.getByRole('alert').filter({ hasText: 'Not sent:' }).waitFor();
      await page.getByRole('button', { name: 'Try again' }).click();
      await bubbles.filter({ hasText: 'Could you please send me' }).locator('[data-ticks]').waitFor();
      assert.equal(await bubbles.filter({ hasText: 'Could you please send me' }).count(), 1);
    });
  });

  it('keeps what is half written while somebody looks elsewhere', async () => {
    await sit(async ({ open, reply }) => {
      await open('Dan');
      await reply.fill('not finished');
      await open('Ana Torres');
      assert.equal(await reply.inputValue(), '');
      await open('Dan');
      assert.equal(await reply.inputValue(), 'not finished');
    });
  });

  it('lets nobody write outside of the 24 hours, and says what is allowed', async () => {
    await sit(async ({ page, open, reply }) => {
      await open('Late Larry');
      await page.getByText('WhatsApp only allows an approved template').waitFor();
      await page.keyboard.press('r');
      await reply.and(page.locator(':focus')).waitFor();
      const reason = page.locator(`[id="${await reply.getAttribute('aria-describedby')}"]`);
      assert.match(await reason.innerText(), /More than 24 hours/, 'a screen reader says why');
      await page.keyboard.type('here');
      assert.equal(await reply.inputValue(), '', 'nothing can be written');
      await page.waitForTimeout(300);
      assert.equal(await page.getByRole('button', { name: 'Undo' }).count(), 0, 'no letter of it was a key');
      await open('Dan');
      await page.getByText(/You can reply until tomorrow \d\d:\d\d/).waitFor();
    });
  });

  it('takes a conversation over, and gives it back to the bot', async () => {
    await sit(async ({ page, row, open }) => {
      await desk.ask('POST', '/api/whatsapp/takeover', { phone_number: DAN, active: false });
      await open('Dan');
      await page.getByRole('combobox', { name: /How long the bot is paused/ }).selectOption('60');
      await page.getByRole('button', { name: 'Pause the bot' }).click();
      await page.getByText(/Bot is paused until (tomorrow )?\d\d:\d\d/).waitFor();
      await row('Dan').filter({ hasText: 'Bot paused' }).waitFor();
      const silent = await desk.say(DAN, 'is a person there?', { ProfileName: 'Dan' });
      assert.deepEqual(silent.texts, []);
      await page.getByRole('button', { name: 'Let the bot answer again' }).click();
      await page.getByText('Bot is answering', { exact: true }).waitFor();
      const answered = await desk.say(DAN, 'and now?', { ProfileName: 'Dan' });
      assert.match(answered.texts.join(), /^You said: [\s\S]*and now\?$/);
    });
  });

  it('archives with e and moves with j, k and /', async () => {
    await sit(async ({ page, row, rows, open }) => {
      await row('Late Larry').waitFor();
      // A filter that was clicked has the focus, and is no place to write.
      await page.getByText('Voice', { exact: true }).click();
      await page.getByText('All', { exact: true }).click();
      await row('Late Larry').waitFor();
      await page.keyboard.press('j');
      const first = await rows.first().innerText();
      await rows.first().and(page.locator('[aria-current=true]')).waitFor();
      await page.keyboard.press('j');
      await rows.nth(1).and(page.locator('[aria-current=true]')).waitFor();
      await page.keyboard.press('k');
      await page.keyboard.press('/');
      const search = page.getByRole('textbox', { name: 'Search conversations' });
      await search.and(page.locator(':focus')).waitFor();
      assert.equal(await search.inputValue(), '', 'the key itself is not written');
      await page.keyboard.type('jk');
      assert.equal(await search.inputValue(), 'jk', 'keys write in a text field');
      await search.fill('');
      await page.keyboard.press('Escape');
      assert.notEqual(first, '');
      await open('Late Larry');
      await page.keyboard.press('e');
      await row('Late Larry').waitFor({ state: 'detached' });
      await eventually('the archive knows', async () => {
        const { body } = await desk.ask('GET', `/api/whatsapp/conversation/${LATE}`);
        return body.conversation.conversation_status === 'archived';
      });
      await page.getByRole('button', { name: 'Undo' }).click();
      await row('Late Larry').and(page.locator('[aria-current=true]')).waitFor();
    });
  });

  it('leads from a search to what was said, and from one place to the next', async () => {
    await sit(async ({ page, open, row, rows, bubbles }) => {
      await page.getByRole('textbox', { name: 'Search conversations' }).fill('elephant');
      await eventually('found', async () => (await rows.count()) === 1);
      await open('Late Larry');
      await page.getByText('1 of 1 with elephant').waitFor();
      const elephant = bubbles.filter({ hasText: 'an elephant in the room' });
      await eventually('it is in sight', async () => {
        const place = (await elephant.count()) === 1 && (await elephant.boundingBox());
        return place !== false && place !== null && place.y > 100 && place.y < 800;
      });
      await page.getByRole('button', { name: 'Clear the search' }).click();
      await row('Ana Torres').waitFor();
      await page.getByRole('textbox', { name: 'Search conversations' }).fill('old message');
      await eventually('found', async () => (await rows.count()) === 1);
      await open('Late Larry');
      await page.getByText('1 of 59 with old message').waitFor();
      await page.getByRole('button', { name: 'Older message with these words' }).click();
      await bubbles.filter({ hasText: 'old message 98' }).locator('[data-wanted=true]').waitFor({ state: 'attached' });
      await page.getByRole('button', { name: 'Close the search in this conversation' }).click();
      await page.getByText('with old message').waitFor({ state: 'detached' });
      await page.getByRole('button', { name: 'Clear the search' }).click();
      await row('Ana Torres').waitFor();
      await page.getByRole('combobox', { name: 'Order' }).click();
      await page.getByRole('option', { name: 'Oldest' }).click();
      await eventually('who waits longest is first', async () =>
        (await rows.first().innerText()).includes('Late Larry'),
      );
    });
  });

  it('blocks a contact and brings it back', async () => {
    await sit(async ({ page, open, reply }) => {
      await open('Late Larry');
      await page.getByRole('button', { name: 'Actions for this conversation' }).click();
      await page.getByRole('menuitem', { name: 'Block this contact' }).click();
      await page.getByText('This contact is blocked.').waitFor();
      assert.equal(await reply.isEditable(), false);
      await page.getByText('Blocked: nobody answers').waitFor();
      assert.equal(await page.getByText('Bot is answering').count(), 0);
      await page.getByRole('button', { name: 'Actions for this conversation' }).click();
      await page.getByRole('menuitem', { name: 'Move to inbox' }).click();
      await page.getByText('This contact is blocked.').waitFor({ state: 'detached' });
    });
  });

  it('loads older messages when somebody scrolls up, and stays where they read', async () => {
    await sit(async ({ page, open, bubbles }) => {
      await open('Late Larry');
      await bubbles.filter({ hasText: 'old message 99' }).waitFor();
      const before = await bubbles.count();
      assert.ok(before <= 40, `not all at once: ${before}`);
      const id = await bubbles.first().locator('[id^=message-]').getAttribute('id');
      const oldest = bubbles.filter({ has: page.locator(`#${id}`) });
      await oldest.scrollIntoViewIfNeeded();
      await eventually('there are more', async () => (await bubbles.count()) > before);
      const place = await oldest.boundingBox();
      assert.ok(place && place.y > 0 && place.y < 900, `what was in sight still is: ${place?.y}`);
      await eventually('all is there', async () => {
        await page.getByRole('log').press('Home');
        return (await bubbles.filter({ hasText: 'an elephant in the room' }).count()) === 1;
      });
    });
  });

  it('makes a task by hand, changes it, moves it, and it is done', async () => {
    await sit(async ({ page, open }) => {
      await open('Ana Torres');
      await page.getByRole('button', { name: 'Actions for this conversation' }).click();
      await page.getByRole('menuitem', { name: 'Add a task' }).click();
      await page.getByRole('textbox', { name: 'Title' }).fill('Bring the flowers');
      await page.getByRole('combobox', { name: 'Priority' }).selectOption('1');
      await page.getByLabel('Due').fill('2020-02-03');
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByRole('tab', { name: 'Tasks' }).click();
      const column = (name: string) => page.getByRole('region', { name, exact: true });
      const card = column('To do').getByRole('listitem').filter({ hasText: 'Bring the flowers' });
      await card.filter({ hasText: 'Overdue, 3 Feb 2020' }).filter({ hasText: 'Ana Torres' }).waitFor();
      await card.getByRole('button', { name: /\(change\)/ }).click();
      await page.getByRole('textbox', { name: 'Title' }).fill('Bring many flowers');
      await page.getByRole('button', { name: 'Save' }).click();
      await column('To do').getByRole('button', { name: 'Start: Bring many flowers' }).click();
      await column('In progress').getByRole('button', { name: 'Done: Bring many flowers' }).click();
      await column('Done').getByText('Bring many flowers').waitFor();
      const { body } = await desk.ask('GET', '/api/whatsapp/tasks?status=completed&search=many+flowers');
      assert.deepEqual([body.count, body.tasks[0].priority, body.tasks[0].phone_number], [1, 1, `+${ANA}`]);
    });
  });

  it('leads from a task to the message it came from', async () => {
    await sit(async ({ page, bubbles }) => {
      await page.getByRole('link', { name: 'Ben Okafor' }).click();
      await bubbles.locator('[data-wanted=true]').waitFor();
      await bubbles
        .filter({ hasText: 'John Smith from ABC Corp' })
        .filter({ has: page.locator('[data-wanted=true]') })
        .waitFor();
    }, '/tasks');
  });

  it('shows the numbers that SQL counts', async () => {
    await sit(async ({ page }) => {
      await page.getByRole('heading', { name: 'Dashboard' }).waitFor();
      const { rows } = await desk.database.run((db) =>
        sql<Record<string, number>>`
          select count(*)::int as total_messages,
            count(*) filter (where direction = 'inbound')::int as inbound_messages,
            count(*) filter (where direction = 'outbound')::int as outbound_messages,
            count(*) filter (where message_type = 'audio')::int as voice_messages,
            (select count(*)::int from sales_tasks) as tasks_created,
            count(*) filter (where transcription_status = 'completed')::int as transcriptions_completed,
            (select count(*)::int from whatsapp_contacts) as unique_contacts
          from whatsapp_messages`.execute(db),
      );
      for (const [name, value] of Object.entries(rows[0] ?? {})) {
        const card = page.locator(`[data-number=${name}]`);
        await card.locator('strong').getByText(value.toLocaleString('en'), { exact: true }).waitFor();
      }
      await page
        .locator('[data-number=avg_processing_time_seconds]')
        .getByText(/^\d+\.\d+ s$/)
        .waitFor();
      await page.getByText('7 days').click();
      const week = page.getByRole('figure').filter({ hasText: 'Messages per day' });
      await week.getByText('As a table').click();
      await eventually('seven days', async () => (await week.locator('tbody tr').count()) === 7);
      const cells = await week.locator('tbody tr td:nth-child(2)').allInnerTexts();
      const counted = await desk.database.run((db) =>
        sql<{ n: number }>`select count(*)::int as n from whatsapp_messages
          where direction = 'inbound' and received_at > (now() at time zone 'UTC')::date - 6`.execute(db),
      );
      assert.equal(
        cells.reduce((sum, cell) => sum + Number(cell.replace(',', '')), 0),
        counted.rows[0]?.n,
      );
    }, '/dashboard');
  });

  it('shows what conversations cost, of all and of one', async () => {
    await sit(async ({ page, open }) => {
      await page.getByRole('tab', { name: 'Dashboard' }).click();
      await page.getByRole('link', { name: 'Costs' }).click();
      await page.getByRole('heading', { name: 'Costs', exact: true }).waitFor();
      const { body } = await desk.ask('GET', '/api/whatsapp/costs?days=30');
      const [sum] = body.month.sums;
      const month = page.getByRole('region', { name: /^Costs in / });
      await month.getByText(`${Number(sum.amount).toFixed(4)} USD`).waitFor();
      await month.getByText('There is no budget').waitFor();
      const purposes = page.getByRole('region', { name: 'By purpose', exact: true });
      const answers = body.purposes.find((one: { purpose: string }) => one.purpose === 'answer');
      const row = purposes.getByRole('row', { name: 'Answers' });
      await row.getByRole('cell', { name: String(answers.entries), exact: true }).waitFor();
      assert.equal(await row.getByTitle(`${answers.sums[0].amount} USD`).count(), 1, 'the exact amount');
      const messages = body.purposes.find((one: { purpose: string }) => one.purpose === 'message');
      await purposes.getByText(`${messages.unpriced} without a price`).waitFor();

      const dearest = page.getByRole('region', { name: 'Conversations that cost most', exact: true });
      await dearest.getByRole('link', { name: 'Late Larry' }).click();
      await page.getByRole('log', { name: 'Conversation with Late Larry' }).waitFor();
      await page.getByRole('button', { name: 'Actions for this conversation' }).click();
      await page.getByRole('menuitem', { name: 'What it costs' }).click();
      await page.getByRole('heading', { name: `Spent for +${LATE}` }).waitFor();
      await eventually('his costs alone', async () => (await dearest.getByRole('link').count()) === 1);
      await page.getByRole('button', { name: 'Show all conversations' }).click();
      await page.getByRole('heading', { name: 'Day by day' }).waitFor();
      await page.getByRole('tab', { name: 'Conversations' }).click();
      await open('Ana Torres');
    });
  });

  it('shows how the budget stands, and says so above every page', async () => {
    for (const [spent, words, notice] of [
      [4, 'The bot answers until it is used up.', /^80 % of this month's budget is spent/],
      [5.5, 'The bot is paused until next month', /^This month's budget of 5\.00 USD is used up/],
    ] as const) {
      Object.assign(desk.budget, {
        limit: { billionths: 5_000_000_000, currency: 'USD' },
        spent: spent * 1_000_000_000,
      });
      await sit(async ({ page }) => {
        const month = page.getByRole('region', { name: /^Costs in / });
        await month.getByText(`${spent.toFixed(2)} USD of 5.00 USD`).waitFor();
        await month.getByText(words).waitFor();
        const share = await month
          .getByRole('progressbar', { name: 'Share of the budget' })
          .getAttribute('aria-valuenow');
        assert.equal(Number(share), Math.min(100, spent * 20));
        await eventually('the notice is there', async () => {
          await page.reload();
          await month.waitFor();
          return (await page.getByText(notice).count()) === 1;
        });
        assert.deepEqual(await barriers(page), []);
      }, '/dashboard/costs');
    }
    desk.budget.limit = null;
  });

  it('shows what was given up, tries it again, and dismisses it', async () => {
    await bury(desk, 'nobody answered me');
    await bury(desk, 'nor me');
    await sit(async ({ page }) => {
      const letter = (text: string) => page.getByRole('listitem').filter({ hasText: text });
      await page.getByRole('tab', { name: 'Needs attention 2' }).waitFor();
      await letter('nor me')
        .filter({ hasText: `+${DAN}` })
        .filter({ hasText: 'in time' })
        .waitFor();
      await letter('nor me').getByRole('button', { name: 'Dismiss' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Dismiss' }).click();
      await letter('nor me').waitFor({ state: 'detached' });
      await letter('nobody answered me').getByRole('button', { name: 'Try again' }).click();
      await page.getByText('Nothing needs attention').waitFor();
      const { body } = await desk.ask('GET', '/api/whatsapp/dead-letters');
      assert.equal(body.count, 0);
    }, '/undelivered');
  });

  it('says that the live connection is gone, and catches up when it is back', async () => {
    await sit(async ({ page, row }) => {
      await row('Ana Torres').waitFor();
      await desk.cut();
      await page.getByText('Offline').waitFor();
      await row('Ana Torres').waitFor();
      assert.equal(await page.getByText('The inbox could not be opened').count(), 0, 'what is open stays open');
      await page.getByText('Connection lost, reconnecting…').waitFor();
      await desk.say(CHLOE, 'said while you were away', { ProfileName: 'Chloé' });
      await desk.mend();
      await page.getByText('Live', { exact: true }).waitFor();
      await row('Chloé').filter({ hasText: 'said while you were away' }).waitFor();
    });
  });

  it('reads nothing that people wrote as HTML, wherever it is shown', async () => {
    const evil = '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>';
    const place = { Latitude: '38.7', Longitude: '-9.1', Label: evil, Address: evil };
    await desk.say(MALLORY, `a place ${evil}`, { ProfileName: evil, ...place });
    desk.doubles.model.transcript = evil;
    const url = desk.doubles.twilio.addMedia(readFileSync('test/fixtures/media/voice.ogg'), 'audio/ogg');
    await desk.say(MALLORY, '', { ProfileName: evil, NumMedia: '1', MediaUrl0: url, MediaContentType0: 'audio/ogg' });
    await desk.say(MALLORY, `${evil} javascript:alert(1) [a](javascript:alert(2))`, { ProfileName: evil });
    await bury(desk, evil);
    await desk.analyse((text) =>
      text.includes('onerror')
        ? {
            summary: evil,
            sentiment: 'urgent',
            intent: evil.slice(0, 90),
            people: [evil],
            companies: [evil],
            dates: [evil],
            amounts: [evil],
            products: [evil],
            task: { title: evil, description: evil, type: '<i>"type"</i>', dueDate: '2026-11-30' },
          }
        : null,
    );
    await sit(async ({ page, row }) => {
      const harmless = async (where: string) => {
        await page.getByText('<img src=x').first().waitFor();
        assert.equal(await page.locator('[onerror], #root script, a[href^="javascript:"]').count(), 0, where);
        assert.match(await page.title(), /^Recado/, where);
      };
      await row('<img src=x').click();
      await page.getByRole('complementary', { name: 'Analysis' }).filter({ hasText: '<img src=x' }).first().waitFor();
      await harmless('conversation');
      await page.getByRole('tab', { name: 'Tasks' }).click();
      await page
        .getByRole('listitem')
        .filter({ hasText: '<img src=x' })
        .getByRole('button', { name: /\(change\)/ })
        .first()
        .click();
      await page.getByRole('dialog').waitFor();
      await harmless('tasks');
      await page.keyboard.press('Escape');
      await page.getByRole('tab', { name: 'Needs attention' }).click();
      await page.getByRole('button', { name: 'Try again' }).first().waitFor();
      await harmless('given up');
    });
  });

  it('shows that a pause ends, shortly before and when it does', async () => {
    await sit(async ({ page, row, open }) => {
      await desk.ask('POST', '/api/whatsapp/takeover', { phone_number: DAN, active: true, minutes: 15 });
      await page.clock.install();
      await page.reload();
      await open('Dan');
      await page.getByText(/Bot is paused until (tomorrow )?\d\d:\d\d/).waitFor();
      await page.clock.fastForward(13.5 * 60_000);
      await page.getByText(/Bot answers again at \d\d:\d\d/).waitFor();
      await page.clock.fastForward(2 * 60_000);
      await page.getByText('Bot is answering', { exact: true }).waitFor();
      await row('Dan').filter({ hasText: 'Bot paused' }).waitFor({ state: 'detached' });
      await desk.ask('POST', '/api/whatsapp/takeover', { phone_number: DAN, active: false });
    });
  });

  it('keeps what was sent while the server was away, with its state, and sends it once', async () => {
    await sit(async ({ page, open, bubbles, reply }) => {
      await open('Dan');
      await desk.cut();
      await reply.fill('Written into the void');
      await reply.press('Control+Enter');
      await page.getByRole('alert').filter({ hasText: 'Not sent:' }).waitFor();
      await desk.mend();
      await open('Ana Torres');
      await open('Dan');
      const kept = bubbles.filter({ hasText: 'Written into the void' });
      await kept.filter({ hasText: 'Not sent:' }).waitFor();
      await page.reload();
      await kept.filter({ hasText: 'Not sent:' }).waitFor();
      await kept.getByRole('button', { name: 'Try again' }).click();
      await kept.locator('[data-ticks]').waitFor();
      assert.equal(await kept.count(), 1);
      assert.equal(desk.doubles.twilio.sent.filter(({ body }) => body === 'Written into the void').length, 1);
    });
  });

  it('keeps an unread conversation in the list of unread ones until another one is opened', async () => {
    await desk.say(BEN, 'a new question', { ProfileName: 'Ben Okafor' });
    await desk.say(CHLOE, 'another one', { ProfileName: 'Chloé' });
    await sit(async ({ page, row, open }) => {
      await page.getByText('Unread', { exact: true }).click();
      await open('Ben Okafor');
      await row('Ben Okafor').getByText('unread').waitFor({ state: 'detached' });
      await page.waitForTimeout(500);
      await row('Ben Okafor').and(page.locator('[aria-current=true]')).waitFor();
      await open('Chloé');
      await row('Ben Okafor').waitFor({ state: 'detached' });
    });
  });

  it('has filters and search in the address: loading again, Back and another tab keep them', async () => {
    await sit(async ({ page, row, rows, open }) => {
      await page.getByText('Voice', { exact: true }).click();
      await row('Chloé').waitFor();
      await page.getByRole('textbox', { name: 'Search conversations' }).fill('Chlo');
      await page.waitForURL(/q=Chlo/);
      await open('Chloé');
      await page.reload();
      await row('Chloé').waitFor();
      assert.equal(await rows.count(), 1);
      assert.equal(await page.getByRole('textbox', { name: 'Search conversations' }).inputValue(), 'Chlo');
      await page.getByRole('tab', { name: 'Tasks' }).click();
      await page.getByRole('heading', { name: /^To do/ }).waitFor();
      await page.getByRole('tab', { name: 'Conversations' }).click();
      await page.getByRole('log', { name: 'Conversation with Chloé' }).waitFor();
      await page.goBack();
      await page.getByRole('heading', { name: /^To do/ }).waitFor();
      await page.goBack();
      await page.getByRole('log', { name: 'Conversation with Chloé' }).waitFor();
      assert.equal(await rows.count(), 1);
    });
  });

  it('offers to undo each of two archived conversations', async () => {
    await sit(async ({ page, row, open }) => {
      for (const name of ['Dan', 'Chloé']) {
        await open(name);
        await page.keyboard.press('e');
        await row(name).waitFor({ state: 'detached' });
      }
      await page.getByRole('combobox', { name: 'Order' }).click();
      await page.getByRole('option', { name: 'Oldest' }).click();
      for (const name of ['Dan', 'Chloé']) {
        await page
          .getByRole('alert')
          .filter({ hasText: `${name}: archived` })
          .getByRole('button', { name: 'Undo' })
          .click();
        await row(name).waitFor();
      }
    });
  });

  it('opens the task that a link leads to, also behind the first thirty', async () => {
    let id = '';
    for (let i = 0; i < 35; i++) {
      const { body } = await desk.ask('POST', '/api/whatsapp/tasks', { title: `Task number ${i}`, priority: 5 });
      id = body.task.id;
    }
    await sit(async ({ page }) => {
      const title = page.getByRole('dialog').getByRole('textbox', { name: 'Title' });
      await title.waitFor();
      assert.equal(await title.inputValue(), 'Task number 34');
      await page.keyboard.press('Escape');
      await title.waitFor({ state: 'detached' });
      assert.equal(new URL(page.url()).search, '');
    }, `/tasks?task=${id}`);
    await desk.database.run((db) => sql`delete from sales_tasks where title like 'Task number %'`.execute(db));
  });

  it('lists what could not be analysed, and analyses it again', async () => {
    await desk.analyse(() => null);
    await desk.say(BEN, 'what is this about?', { ProfileName: 'Ben Okafor' });
    const [burst] = await desk.analysis.take({ most: 1, leaseMs: 60_000 });
    assert.ok(burst);
    await desk.analysis.fail(burst, 'the model said nonsense', false);
    await sit(async ({ page, open }) => {
      await page.getByRole('tab', { name: /^Needs attention \d/ }).click();
      const list = page.getByRole('region', { name: 'Could not be analysed' });
      await list.getByRole('listitem').filter({ hasText: 'the model said nonsense' }).waitFor();
      await page.getByRole('tab', { name: 'Conversations' }).click();
      await open('Ben Okafor');
      await page.getByRole('button', { name: 'Analyse again' }).click();
      await page.getByText('Waits for its analysis').waitFor();
      await page.getByRole('tab', { name: 'Needs attention' }).click();
      await page.getByText('What the bot could not answer').waitFor();
      await list.waitFor({ state: 'detached' });
    });
    await desk.analyse(() => null);
  });

  it('has one stream of events for all pages of a browser', async () => {
    await sit(async ({ page }) => {
      const streams: string[] = [];
      const context = page.context();
      await page.getByText('Live', { exact: true }).waitFor();
      context.on('request', (request) => request.url().endsWith('/events') && streams.push(request.url()));
      const others = await Promise.all([context.newPage(), context.newPage()]);
      for (const other of others) {
        await other.goto(desk.page);
        await other.getByText('Live', { exact: true }).waitFor();
      }
      assert.deepEqual(streams, [], 'the first page has it');
      await desk.say(DAN, 'told to all pages', { ProfileName: 'Dan' });
      for (const other of others) await inboxOn(other).row('Dan').filter({ hasText: 'told to all pages' }).waitFor();
      await page.goto('about:blank');
      await eventually('another page has it', async () => streams.length === 1);
      await desk.say(DAN, 'told to the others', { ProfileName: 'Dan' });
      for (const other of others) await inboxOn(other).row('Dan').filter({ hasText: 'told to the others' }).waitFor();
    });
  });

  for (const [zoom, viewport] of [
    ['200 %', { width: 720, height: 450 }],
    ['400 %', { width: 360, height: 225 }],
  ] as const)
    it(`can be read and written in at a zoom of ${zoom}`, async () => {
      await sit(
        async ({ page, open, reply }) => {
          await open('Dan');
          const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
          assert.equal(overflow, 0, 'nothing sticks out to the side');
          const wall = await page.getByRole('log').boundingBox();
          assert.ok((wall?.height ?? 0) > viewport.height / 3, `${wall?.height} px of conversation`);
          assert.ok(await reply.isEditable());
        },
        '',
        { viewport },
      );
    });

  it('shows who waits for a person, the longest waiting first, and tells whoever picks it up what it is about', async () => {
    const [FIRST, SECOND] = ['15550100181', '15550100182'];
    await desk.say(FIRST, 'human', { ProfileName: 'Hugo First' });
    await desk.say(SECOND, 'I would like to order', { ProfileName: 'Sara Second' });
    await sit(async ({ page }) => {
      await page.getByRole('tab', { name: 'Waiting for a person 1' }).click();
      // Another one comes while the page is open.
      await desk.say(SECOND, 'human', { ProfileName: 'Sara Second' });
      await page.getByRole('tab', { name: 'Waiting for a person 2' }).waitFor();
      const items = page.getByRole('listitem');
      assert.match(await items.nth(0).innerText(), /Hugo First\s*Asked for a person[\s\S]*waits 0 min/);
      assert.match(await items.nth(1).innerText(), /Sara Second/);
      await page.getByText('What it is about').first().waitFor();
      assert.deepEqual(await barriers(page), []);
      await items.nth(0).getByRole('link', { name: 'Open' }).click();
      await page.getByRole('complementary', { name: 'Waiting for a person' }).waitFor();
      assert.deepEqual(await barriers(page), []);
      await page.getByRole('textbox', { name: 'Your answer' }).fill('Hugo, I am here');
      await page.getByRole('button', { name: 'Send' }).click();
      await page.getByRole('tab', { name: 'Waiting for a person 1' }).waitFor();
      await page.getByRole('complementary', { name: 'Waiting for a person' }).waitFor({ state: 'detached' });
    });
    await sit(
      async ({ page }) => {
        await page.getByText('Sara Second').waitFor();
        assert.deepEqual(await barriers(page), []);
      },
      '/waiting',
      { ...PHONE, colorScheme: 'dark' },
    );
  });

  it('writes to somebody who opted out only when it is asked to', async () => {
    const OUT = '15550100183';
    await desk.say(OUT, 'Hello', { ProfileName: 'Otto Out' });
    await desk.say(OUT, 'STOP', { ProfileName: 'Otto Out' });
    await sit(async ({ page, open, reply, bubbles }) => {
      await open('Otto Out');
      await page.getByText('They want no more messages (STOP).').waitFor();
      await page.getByText('No messages wanted').waitFor();
      assert.equal(await reply.isEditable(), false);
      await page.getByRole('checkbox', { name: 'Send all the same' }).check();
      await reply.fill('Your order is ready');
      assert.deepEqual(await barriers(page), []);
      await page.getByRole('button', { name: 'Send' }).click();
      await bubbles.filter({ hasText: 'Your order is ready' }).waitFor();
      assert.equal(await reply.isEditable(), false, 'asked each time');
    });
    await eventually('it was sent', () => desk.doubles.twilio.sent.some(({ body }) => body === 'Your order is ready'));
  });

  it('lists what somebody said about getting messages, and records what the team knows from elsewhere', async () => {
    const CORA = '15550100184';
    await desk.say(CORA, 'Hello', { ProfileName: 'Cora Consent' });
    await desk.say(CORA, 'STOP', { ProfileName: 'Cora Consent' });
    const consent = async ({ page, open }: Inbox) => {
      await open('Cora Consent');
      await page.getByRole('button', { name: 'Actions for this conversation' }).click();
      await page.getByRole('menuitem', { name: 'Consent to messages' }).click();
      const dialog = page.getByRole('dialog', { name: 'Messages to Cora Consent' });
      return { dialog, entries: dialog.getByRole('listitem') };
    };
    await sit(async (inbox) => {
      const { page, reply } = inbox;
      const { dialog, entries } = await consent(inbox);
      assert.match(await entries.innerText(), /^Wants no messages\s+STOP\s+\d.*, they wrote it$/);
      const record = dialog.getByRole('button', { name: 'Record' });
      const source = dialog.getByRole('textbox', { name: 'Where you have it from' });
      await record.click();
      // It needs a source.
      await source.and(page.locator(':focus:invalid')).waitFor();
      await source.fill('On the telephone, <b>3 May</b>');
      assert.equal(await dialog.getByRole('radio', { name: 'They agree to messages' }).isChecked(), true);
      await stillness(page);
      assert.deepEqual(await barriers(page), []);
      await record.click();
      await entries.nth(1).waitFor();
      assert.match(
        await entries.first().innerText(),
        /^Agreed to messages\s+On the telephone, <b>3 May<\/b>\s+\d.*, recorded in the inbox$/,
      );
      await dialog.getByText('They have not said that they want no messages.').waitFor();
      await page.keyboard.press('Escape');
      await page.getByText('No messages wanted').waitFor({ state: 'detached' });
      assert.equal(await reply.isEditable(), true);
    });
    assert.equal(
      (await desk.say(CORA, 'Hello again', { ProfileName: 'Cora Consent' })).texts.length,
      1,
      'the bot answers again',
    );
    await sit(
      async (inbox) => {
        const { dialog, entries } = await consent(inbox);
        await entries.nth(1).waitFor();
        await dialog.getByRole('radio', { name: 'They want no messages' }).check();
        await dialog.getByRole('textbox', { name: 'Where you have it from' }).fill('A letter');
        await stillness(inbox.page);
        assert.equal(await inbox.page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0);
        assert.deepEqual(await barriers(inbox.page), []);
        await dialog.getByRole('button', { name: 'Record' }).click();
        await entries.nth(2).waitFor();
      },
      '',
      { ...PHONE, colorScheme: 'dark' },
    );
    assert.deepEqual((await desk.say(CORA, 'Hello?')).texts, [], 'the bot is silent again');
  });

  it('fetches two pictures at a time, and says what can no longer be played or opened', async () => {
    const { twilio } = desk.doubles;
    const EVE = '15550100177';
    const jpeg = await sharp({ create: { width: 200, height: 120, channels: 3, background: '#a03030' } })
      .jpeg()
      .toBuffer();
    for (let i = 0; i < 5; i++) {
      const one = { NumMedia: '1', MediaUrl0: twilio.addMedia(jpeg, 'image/jpeg'), MediaContentType0: 'image/jpeg' };
      await desk.say(EVE, '', { ProfileName: 'Eve', ...one });
    }
    const lost = (type: string) => ({ NumMedia: '1', MediaUrl0: twilio.addMedia(jpeg, type), MediaContentType0: type });
    await desk.say(EVE, '', { ProfileName: 'Eve', ...lost('application/pdf') });
    await desk.say(EVE, '', { ProfileName: 'Eve', ...lost('audio/ogg') });
    await sit(async ({ page, open, bubbles }) => {
      let [now, most] = [0, 0];
      await page.route('**/api/whatsapp/media/**', async (route) => {
        most = Math.max(most, ++now);
        await page.waitForTimeout(100);
        now--;
        const kind = route.request().resourceType();
        if (kind === 'image') await route.continue();
        else await route.fulfill({ status: 422, json: { success: false, error: 'gone', code: 'media.gone' } });
      });
      await open('Eve');
      await bubbles.filter({ hasText: 'This voice note cannot be played' }).waitFor();
      await bubbles.getByRole('button', { name: /Document/ }).click();
      await bubbles.filter({ hasText: 'This file cannot be opened' }).waitFor();
      const pictures = page.getByRole('link', { name: 'Picture from Eve' });
      for (let i = 4; i >= 0; i--) {
        await pictures.nth(i).scrollIntoViewIfNeeded();
        await pictures.nth(i).and(page.locator('[data-loaded=true]')).waitFor();
      }
      assert.ok(most <= 2, `${most} at a time`);
    });
  });

  it('sends a template where the 24 hours are over, filled in and looked at before', async () => {
    const TESS = '15550100191';
    await desk.remember([{ contact: TESS, name: 'Tess', text: 'see you', at: Date.now() - 2 * DAY_MS }]);
    await sit(async ({ page, row, open, bubbles }) => {
      await open('Tess');
      const choose = page.getByRole('button', { name: 'Choose a template' });
      await choose.click();
      const dialog = page.getByRole('dialog', { name: 'Template to Tess' });
      const choices = dialog.getByRole('list', { name: 'Templates' });
      await eventually('all are listed', async () => (await choices.getByRole('listitem').count()) === 4);
      assert.equal(await choices.getByRole('button').count(), 2, 'those that are approved');
      assert.match(await choices.getByRole('listitem').nth(3).innerText(), /^offer\s+Paused[\s\S]*has paused it/);
      const search = dialog.getByRole('textbox', { name: 'Search templates' });
      await search.and(page.locator(':focus')).waitFor();
      await search.fill('table booked');
      await eventually('found', async () => (await choices.getByRole('listitem').count()) === 1);
      assert.match(await choices.innerText(), /table_booked\s+Approved\s+English · Utility/);
      await choices.getByRole('button').click();

      const preview = dialog.getByRole('region', { name: 'Preview' });
      await preview.getByText('Hello [Variable 1], your table on [Variable 2] is booked.').waitFor();
      const [first, second] = [1, 2].map((n) => dialog.getByRole('textbox', { name: `Variable ${n}` })) as [
        Locator,
        Locator,
      ];
      await first.and(page.locator(':focus')).waitFor();
      await first.fill('Tess');
      await dialog.getByRole('button', { name: 'Send' }).click();
      await second.and(page.locator(':focus')).and(page.locator('[aria-invalid=true]')).waitFor();
      await dialog.getByText('Fill this in').waitFor();
      await second.fill('12 *May*');
      await preview.getByText('Hello Tess, your table on 12 May is booked.').waitFor();

      desk.doubles.twilio.faults.push({ kind: 'status', status: 400, code: 63024, message: 'no', on: 'create' });
      await dialog.getByRole('button', { name: 'Send' }).click();
      await dialog.getByRole('alert').filter({ hasText: 'It was not sent' }).waitFor();
      await dialog.getByRole('button', { name: 'Send' }).and(page.locator(':focus')).waitFor();
      await dialog.getByRole('button', { name: 'Send' }).click();
      await dialog.waitFor({ state: 'detached' });
      await choose.and(page.locator(':focus')).waitFor();
      const sent = bubbles.filter({ hasText: 'your table on 12 May is booked.' });
      await sent.locator('[data-ticks]').waitFor();
      assert.match(await sent.last().innerText(), /Template · table_booked \(en\)/);
      await row('Tess').filter({ hasText: 'Template: Hello Tess' }).waitFor();
      await page.getByText('Bot is answering', { exact: true }).waitFor();
    });
    const { to, content } = desk.doubles.twilio.sent.at(-1) ?? {};
    assert.deepEqual(
      [to, content],
      [`whatsapp:+${TESS}`, { sid: TABLE_BOOKED_SID, variables: { '1': 'Tess', '2': '12 *May*' } }],
    );
  });

  it('writes to a number that has never written, and opens the conversation', async () => {
    await sit(async ({ page, bubbles }) => {
      const begin = page.getByRole('button', { name: 'New message' });
      await begin.click();
      const dialog = page.getByRole('dialog', { name: 'New message' });
      const number = dialog.getByRole('textbox', { name: 'Number' });
      await number.and(page.locator(':focus')).waitFor();
      await number.fill('0155 0100');
      await dialog.getByRole('button', { name: /^welcome/ }).click();
      await dialog.getByRole('button', { name: 'Send' }).click();
      await number.and(page.locator(':focus')).waitFor();
      await dialog.getByText('Write a number with its country code').waitFor();
      await number.fill('+1 (555) 010-0192');
      await dialog.getByRole('button', { name: 'Send' }).click();
      await page.getByRole('log', { name: 'Conversation with +15550100192' }).waitFor();
      await bubbles
        .filter({ hasText: 'Welcome! How can we help you?' })
        .filter({ hasText: 'Template · welcome (en)' })
        .waitFor();
      assert.equal(await dialog.count(), 0);
    });
    assert.equal(desk.doubles.twilio.sent.at(-1)?.to, 'whatsapp:+15550100192');
  });

  it('sends no template to somebody who is blocked or has opted out, and says why', async () => {
    const [FRIEDA, OLE] = ['15550100193', '15550100194'];
    const at = Date.now() - 2 * DAY_MS;
    await desk.remember(
      [FRIEDA, OLE].map((contact) => ({ contact, name: contact === OLE ? 'Ole' : 'Frieda', text: 'hm', at })),
    );
    await desk.ask('POST', '/api/whatsapp/consent', { phone_number: OLE, consent: 'opt-out', source: 'a letter' });
    await desk.recorder.catchUp();
    await sit(async ({ page, open }) => {
      const refused = async (reason: string) => {
        assert.equal(await page.getByRole('button', { name: 'Choose a template' }).count(), 0);
        await page.getByRole('button', { name: 'Actions for this conversation' }).click();
        await page.getByRole('menuitem', { name: 'Send a template' }).click();
        await page.getByRole('dialog').getByText(reason).waitFor();
        assert.equal(await page.getByRole('dialog').getByRole('list').count(), 0);
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
      };
      await open('Ole');
      await page.getByText('They want no more messages (STOP). No template can be sent').waitFor();
      await refused('No template can be sent until they write START');
      await open('Frieda');
      await page.getByRole('button', { name: 'Choose a template' }).waitFor();
      await page.getByRole('button', { name: 'Actions for this conversation' }).click();
      await page.getByRole('menuitem', { name: 'Block this contact' }).click();
      await page.getByText('This contact is blocked.').waitFor();
      await refused('nothing is sent to them');
    });
  });

  for (const [name, options] of Object.entries({ 'on a desktop': DESKTOP, '360 pixels wide': PHONE }))
    for (const colorScheme of ['light', 'dark'] as const)
      it(`has a dialog for templates that everybody can use ${name}, ${colorScheme}`, async () => {
        await sit(
          async ({ page, open }) => {
            const check = async (where: string) => {
              await stillness(page);
              assert.equal(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0, where);
              assert.deepEqual(await barriers(page), [], where);
            };
            const asked: { idempotency_key: string }[] = [];
            await page.route('**/api/whatsapp/templates*', (route) => route.fulfill({ json: OFFERS }));
            await page.route('**/api/whatsapp/send-template', async (route) => {
              asked.push(route.request().postDataJSON());
              await route.abort();
            });
            await open('Ben Okafor');
            await page.getByRole('button', { name: 'Actions for this conversation' }).click();
            await page.getByRole('menuitem', { name: 'Send a template' }).click();
            const dialog = page.getByRole('dialog', { name: 'Template to Ben Okafor' });
            await dialog.getByRole('alert').filter({ hasText: 'BUSINESS_ACCOUNT_ID' }).waitFor();
            await dialog.getByText('Tag content mismatch.').waitFor();
            await check('list');
            await dialog.getByRole('button', { name: /^spring_offer/ }).click();
            const send = dialog.getByRole('button', { name: 'Send' });
            await send.click();
            await dialog.getByText('Fill this in').first().waitFor();
            await check('errors');
            const labels = await dialog.locator('label').allInnerTexts();
            assert.deepEqual(
              labels.map((label) => label.replace(/\s*\*$/, '')),
              ['Address of the picture', 'First name', 'Offer', "End of the button's address", 'Code'],
            );
            const values = ['https://example.com/a.jpg', '<b>Ben</b>', '20 % less', 'spring', 'SPRING20'];
            for (const [i, value] of values.entries()) await dialog.getByRole('textbox').nth(i).fill(value);
            const preview = dialog.getByRole('region', { name: 'Preview' });
            await preview.getByText('Dear <b>Ben</b>, 20 % less until Sunday.').waitFor();
            assert.match(await preview.innerText(), /a\.jpg[\s\S]*Write STOP to end this\.[\s\S]*Look[\s\S]*Copy code/);
            await send.click();
            await dialog.getByRole('alert').filter({ hasText: 'It may not have been sent' }).waitFor();
            await check('filled in');
            await send.click();
            await eventually('tried again', async () => asked.length === 2);
            assert.deepEqual(asked[0], asked[1], 'under the same name: nobody knows whether the first was sent');
            await dialog.getByRole('textbox', { name: 'Offer' }).fill('10 % less');
            await send.click();
            await eventually('another message', async () => asked.length === 3);
            assert.notEqual(asked[2]?.idempotency_key, asked[0]?.idempotency_key);
            await dialog.getByRole('button', { name: 'Other templates' }).click();
            await dialog.getByRole('textbox', { name: 'Search templates' }).and(page.locator(':focus')).waitFor();
          },
          '',
          { ...options, colorScheme },
        );
      });

  for (const [name, options] of Object.entries({ 'on a desktop': DESKTOP, '360 pixels wide': PHONE })) {
    for (const colorScheme of ['light', 'dark'] as const) {
      it(`is usable for everybody ${name}, ${colorScheme}`, async () => {
        await sit(
          async ({ page, row, open, reply }) => {
            const check = async (where: string) => {
              await stillness(page);
              const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
              assert.equal(overflow, 0, `${where}: nothing sticks out to the side`);
              assert.deepEqual(await barriers(page), [], where);
            };
            await row('Ana Torres').waitFor();
            assert.equal(await page.locator('html').getAttribute('data-mantine-color-scheme'), colorScheme);
            await check('list');
            await open('Ben Okafor');
            await check('conversation');
            const menu = page.getByRole('button', { name: 'Actions for this conversation' });
            await menu.click();
            await page.getByRole('menuitem', { name: 'Add a task' }).waitFor();
            await check('menu');
            await page.getByRole('menuitem', { name: 'Add a task' }).click();
            await page.getByRole('dialog').waitFor();
            await check('dialog');
            await page.keyboard.press('Escape');
            await page.getByRole('dialog').waitFor({ state: 'detached' });
            await menu.and(page.locator(':focus')).waitFor();
            desk.doubles.twilio.faults.push({ kind: 'status', status: 400, code: 63016, message: 'no', on: 'create' });
            await reply.fill('This is refused');
            await page.getByRole('button', { name: 'Send' }).click();
            await page.getByRole('alert').filter({ hasText: 'Not sent:' }).waitFor();
            await check('error');
            await page.getByRole('button', { name: 'Discard' }).click();
            await menu.click();
            await page.getByRole('menuitem', { name: 'Archive' }).click();
            await page.getByRole('button', { name: 'Undo' }).waitFor();
            await check('toast');
            await page.getByRole('button', { name: 'Undo' }).click();
            await page.getByRole('log', { name: 'Conversation with Ben Okafor' }).waitFor();
            if (options === PHONE) await page.getByRole('button', { name: 'Back to the list' }).click();
            for (const tab of ['Tasks', 'Dashboard', 'Needs attention']) {
              await page.getByRole('tab', { name: tab }).click();
              await page.getByRole('heading', { name: HEADINGS[tab] ?? tab }).waitFor();
              await check(tab);
            }
            await page.getByRole('tab', { name: 'Dashboard' }).click();
            await page.getByRole('link', { name: 'Costs' }).click();
            await page.getByRole('heading', { name: 'By purpose' }).waitFor();
            await check('Costs');
          },
          '',
          { ...options, colorScheme },
        );
      });
    }
  }
});

const HEADINGS: Record<string, RegExp> = {
  Tasks: /^To do/,
  Dashboard: /^Dashboard/,
  'Needs attention': /^Needs attention/,
};

/** What the API says of templates with all that they may have, and of a channel that cannot be asked. */
const OFFERS = {
  success: true,
  problems: [{ channel: 'meta', text: 'Set BUSINESS_ACCOUNT_ID to see the templates of this account.' }],
  templates: [
    {
      id: 'spring_offer:en',
      channel: 'meta',
      name: 'spring_offer',
      language: 'en',
      category: 'marketing',
      state: 'approved',
      reason: null,
      header: '{{header.image}}',
      body: 'Dear {{first_name}}, {{offer}} until Sunday.',
      footer: 'Write STOP to end this.',
      buttons: ['Look', 'Copy code'],
      variables: ['header.image', 'first_name', 'offer', 'button.0', 'code.1'],
    },
    ...(['pending', 'rejected', 'paused', 'disabled'] as const).map((state) => ({
      id: `${state}_one:pt_BR`,
      channel: 'twilio',
      name: `${state}_one_with_a_name_that_is_rather_long_for_a_phone`,
      language: 'pt_BR',
      category: 'utility',
      state,
      reason: state === 'rejected' ? 'TAG_CONTENT_MISMATCH' : null,
      header: 'Casa Lola',
      body: 'Olá {{1}}, a sua mesa está reservada.',
      footer: null,
      buttons: [],
      variables: ['1'],
    })),
  ],
};

interface Inbox {
  page: Page;
  rows: Locator;
  /** In the list of conversations. */
  row: (name: string) => Locator;
  open: (name: string) => Promise<void>;
  bubbles: Locator;
  reply: Locator;
}

function inboxOn(page: Page): Inbox {
  const rows = page.getByRole('region', { name: 'Conversations' }).getByRole('listitem').getByRole('button');
  const row = (name: string) => rows.filter({ hasText: name });
  return {
    page,
    rows,
    row,
    async open(name) {
      await row(name).click();
      await page.getByRole('log', { name: `Conversation with ${name}` }).waitFor();
    },
    bubbles: page.getByRole('log').locator('li[data-mine]'),
    reply: page.getByRole('textbox', { name: 'Your answer' }),
  };
}

async function signIn(page: Page, password: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Password' }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** That nobody is signed in yet, that a password was wrong or a server away is what a test wants to see. */
function isComplaint(text: string): boolean {
  return !/Failed to load resource: (the server responded with a status of (401|409|422|502)|net::ERR_)/.test(text);
}

/** Some conversations to look at. */
async function furnish(desk: InboxDesk): Promise<void> {
  desk.doubles.twilio.templates.push(...TWILIO_TEMPLATES);
  const now = Date.now();
  const old = Array.from({ length: 60 }, (_, i) => ({
    contact: LATE,
    name: 'Late Larry',
    text: i === 7 ? 'an elephant in the room' : `old message ${i + 40}`,
    at: now - 3 * DAY_MS + i * 60_000,
    answer: `an answer, the ${i + 1}. of many`,
    usage: { prompt: 1_000, completion: 50, cached: 600 },
  }));
  await desk.remember(old);
  const jpeg = await sharp({ create: { width: 320, height: 200, channels: 3, background: '#1e50c8' } })
    .jpeg()
    .toBuffer();
  const { twilio } = desk.doubles;
  const picture = { NumMedia: '1', MediaUrl0: twilio.addMedia(jpeg, 'image/jpeg'), MediaContentType0: 'image/jpeg' };
  await desk.say(ANA, 'look at this', { ProfileName: 'Ana Torres', ...picture });
  const voice = readFileSync('test/fixtures/media/voice.ogg');
  const note = { NumMedia: '1', MediaUrl0: twilio.addMedia(voice, 'audio/ogg'), MediaContentType0: 'audio/ogg' };
  await desk.say(CHLOE, '', { ProfileName: 'Chloé', ...note });
  await desk.say(BEN, 'I need to schedule a meeting with John Smith from ABC Corp next Tuesday. This is urgent.', {
    ProfileName: 'Ben Okafor',
  });
  await desk.say(DAN, 'hello', { ProfileName: 'Dan' });
  await desk.analyse((text) =>
    text.includes('John Smith')
      ? {
          summary: 'Request to schedule an urgent meeting.',
          sentiment: 'urgent',
          intent: 'scheduling',
          people: ['John Smith'],
          companies: ['ABC Corp'],
          dates: ['next Tuesday'],
          task: { title: 'Schedule a meeting with John Smith', type: 'meeting', priority: 1, dueDate: '2026-11-24' },
        }
      : text.includes('look at this')
        ? { summary: 'Shows a picture.', sentiment: 'positive' }
        : null,
  );
}

/** What somebody writes looks like spam, as the bot records it. */
async function suspect({ say, redis, keys, recorder }: InboxDesk, contact: string, name: string): Promise<void> {
  await say(contact, 'Win a lot of money', { ProfileName: name });
  const until = Date.now() + 30 * 60_000;
  const event = encodeEvent({
    type: 'contact.suspected',
    conversation: `twilio:14155238886:${contact}`,
    at: Date.now(),
    score: 100,
    reasons: ['repeats', 'links'],
    until,
  });
  await createSuspects({ run: createScripts(redis), keys }).record(contact, 100, until, event);
  await recorder.catchUp();
}

/** Another responder owns the thread of somebody who writes, and has answered. */
async function shareWithOther({ say, redis, keys, recorder }: InboxDesk, contact: string, name: string): Promise<void> {
  await say(contact, 'How much is a cake?', { ProfileName: name });
  const conversation = `twilio:14155238886:${contact}`;
  const at = Date.now();
  const text = scrub('We bake it for 20 euros');
  const said = { id: `echo-${contact}`, author: 'other' as const, text, attachments: [], at };
  const event = encodeEvent({ type: 'messages.kept', conversation, at, address: contact, messages: [said] });
  const tools = { redis, run: createScripts(redis), keys, historyTtlMs: DAY_MS, now: Date.now };
  const threads = createThreads({ ...tools, aliases: createAliases(tools) });
  await threads.keep(conversation, { id: said.id, mark: markOf({ owner: 'other', at }), line: null, event });
  await recorder.catchUp();
}

/** Leaves a dead letter, as the bot does. */
async function bury({ redis, keys }: InboxDesk, text: string): Promise<void> {
  const conversation = `twilio:14155238886:${DAN}`;
  const at = String(Date.now());
  const message = {
    id: newSid('SM'),
    channel: 'twilio',
    business: '14155238886',
    contact: DAN,
    profileName: 'Dan',
    text,
  };
  const messages = JSON.stringify([{ ...message, receivedAt: Date.now(), attachments: [], requestId: 'r' }]);
  const why = { code: 'model.timeout', reason: 'no answer in 60000 ms', reply: '' };
  const fields = { conversation, turn: newSid('T'), at, ...why, messages };
  await redis.xadd(keys.of(DAN).dead, '*', ...Object.entries(fields).flat());
}
