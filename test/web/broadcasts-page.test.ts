import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { PASSWORD } from '../inbox/desk.ts';
import { barriers } from '../support/axe.ts';
import { eventually } from '../support/bot.ts';
import { NO_BROWSER, startBrowser, stillness, type TestBrowser } from '../support/browser.ts';
import { TWILIO_TEMPLATES, WELCOME_SID } from '../support/templates.ts';
import { type InboxDesk, startInboxDesk } from './inbox-desk.ts';

const DESKTOP = { viewport: { width: 1440, height: 900 } };
const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

describe('broadcasts in the browser', { skip: NO_BROWSER }, () => {
  let desk: InboxDesk;
  let browser: TestBrowser;
  let people = 0;

  before(async () => {
    [desk, browser] = await Promise.all([startInboxDesk(), startBrowser()]);
    desk.doubles.twilio.templates.push(...TWILIO_TEMPLATES);
  });
  after(async () => {
    await browser?.close();
    await desk?.stop();
  });

  const newPeople = (count: number) => Array.from({ length: count }, () => `155501${String(60_000 + people++)}`);

  async function sit(
    run: (page: Page) => Promise<void>,
    path = '/broadcasts',
    options: BrowserContextOptions = DESKTOP,
  ) {
    const { page, context, complaints } = await browser.open(desk.page + path, options);
    await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
    await page.keyboard.press('Enter');
    await run(page);
    assert.deepEqual(
      complaints.filter((complaint) => !/status of 4(01|22)/.test(complaint)),
      [],
    );
    await context.close();
  }

  async function choose(page: Page, template: RegExp): Promise<void> {
    await page
      .getByRole('combobox', { name: 'Template' })
      .or(page.getByRole('textbox', { name: 'Template' }))
      .first()
      .click();
    await page.getByRole('option', { name: template }).click();
  }

  it('makes one of numbers, shows what people get, checks it, and sends it', async () => {
    const [ana = '', ben = ''] = newPeople(2);
    await sit(async (page) => {
      await page.getByText('No broadcasts yet').waitFor();
      await page.getByRole('button', { name: 'New broadcast' }).click();
      await choose(page, /^table_booked/);
      await page.getByRole('textbox', { name: 'People' }).fill(`+${ana}\n${ben}, ${ana}\nnobody`);
      await page.getByRole('textbox', { name: 'Value of {{1}}' }).fill('Ana');
      await page.getByRole('textbox', { name: 'Value of {{2}}' }).fill('1 May');
      await page.getByText('Hello Ana, your table on 1 May is booked.').waitFor();
      await page.getByRole('textbox', { name: 'Name' }).fill('May tables');
      await page.getByRole('button', { name: 'Check' }).click();
      await page.getByText('Skipped: 1 twice in the list, 1 no valid number.').waitFor();
      assert.equal(
        desk.doubles.twilio.sent.some(({ to }) => to.endsWith(ana)),
        false,
        'nothing was sent yet',
      );
      await page.getByRole('button', { name: 'Send to 2 people' }).click();
      await page.getByRole('heading', { name: 'May tables' }).waitFor();
      await page.getByText('4 of 4 done').waitFor();
      await page.getByRole('region', { name: 'Results' }).getByText('The number is in the list twice').waitFor();
    });
    const bodies = desk.doubles.twilio.sent.filter(({ to }) => [ana, ben].some((one) => to.endsWith(one)));
    assert.deepEqual(
      bodies.map(({ body }) => body),
      Array(2).fill('Hello Ana, your table on 1 May is booked.'),
    );
  });

  it('takes a CSV file, whose first line of values fills the preview', async () => {
    const [ana = '', ben = ''] = newPeople(2);
    await sit(async (page) => {
      await choose(page, /^table_booked/);
      const buffer = Buffer.from(`phone;1;2\n${ana};"Ana; junior";2 May\n${ben};;3 May\n`);
      await page.locator('input[type=file]').setInputFiles({ name: 'people.csv', mimeType: 'text/csv', buffer });
      await page.getByText('Hello Ana; junior, your table on 2 May is booked.').waitFor();
      await page.getByRole('button', { name: 'Check' }).click();
      await page.getByText('No value for 1.').waitFor();
      await page.getByRole('button', { name: 'Send to 1 person' }).waitFor();
    }, '/broadcasts/new');
  });

  it('says why a list cannot be sent', async () => {
    await sit(async (page) => {
      await choose(page, /^welcome/);
      await page.getByRole('textbox', { name: 'People' }).fill(`number,city\n${newPeople(1)[0]},Leeds`);
      await page.getByRole('button', { name: 'Check' }).click();
      await page.getByRole('alert').filter({ hasText: 'has no variable city' }).waitFor();
    }, '/broadcasts/new');
  });

  it('is paused, resumed and cancelled; the results can be narrowed', async () => {
    const id = await scheduled('To be cancelled');
    await sit(async (page) => {
      await page.getByRole('button', { name: 'Pause' }).click();
      await page.getByText('Paused', { exact: true }).waitFor();
      await page.getByRole('button', { name: 'Resume' }).click();
      await page.getByText('Scheduled', { exact: true }).waitFor();
      await page.getByRole('button', { name: 'Cancel the broadcast' }).click();
      await page.getByRole('button', { name: 'Cancel it' }).click();
      await page.getByText('Cancelled', { exact: true }).waitFor();
      await page.getByText('Skipped: 2 cancelled before, 1 no valid number.').waitFor();
    }, `/broadcasts/${id}`);
    await sit(async (page) => {
      await page.getByText('No such row').waitFor();
    }, `/broadcasts/${id}?state=sent`);
  });

  async function scheduled(name: string): Promise<string> {
    const at = new Date(Date.now() + 86_400_000).toISOString();
    const numbers = [...newPeople(2), 'nobody'];
    const { body } = await desk.ask('POST', '/api/broadcasts', {
      name,
      numbers,
      template: WELCOME_SID,
      schedule_at: at,
    });
    return body.id;
  }

  for (const [name, options] of Object.entries({ 'on a desktop': DESKTOP, '360 pixels wide': PHONE })) {
    for (const colorScheme of ['light', 'dark'] as const) {
      it(`is usable for everybody ${name}, ${colorScheme}`, async () => {
        const numbers = newPeople(4);
        const refused = { kind: 'status', status: 401, code: 20003, message: 'no', on: 'create' } as const;
        desk.doubles.twilio.faults.push(refused, refused, refused, refused);
        const stopped = await desk.ask('POST', '/api/broadcasts', {
          name: 'Summer offers',
          numbers,
          template: WELCOME_SID,
        });
        await eventually('it stopped', async () => {
          const { body } = await desk.ask('GET', `/api/broadcasts/${stopped.body.id}`);
          return body.broadcast.state === 'stopped' && body.broadcast.counts.sending === 0;
        });
        desk.doubles.twilio.faults.length = 0;
        await sit(
          async (page) => {
            const check = async (where: string) => {
              await stillness(page);
              await keepPicture(page, `${where}-${options === PHONE ? 'phone' : 'desktop'}-${colorScheme}`);
              const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
              assert.equal(overflow, 0, `${where}: nothing sticks out to the side`);
              assert.deepEqual(await barriers(page), [], where);
            };
            await page.getByRole('link', { name: 'Summer offers' }).first().waitFor();
            await check('list');
            await page.getByRole('link', { name: 'Summer offers' }).first().click();
            await page.getByText('It stopped automatically').waitFor();
            await check('stopped');
            await page.getByRole('button', { name: 'Resume' }).click();
            await page.getByText('4 of 4 done').waitFor();
            await check('done');
            await page.getByRole('link', { name: 'All broadcasts' }).click();
            await page.getByRole('button', { name: 'New broadcast' }).click();
            await choose(page, /^table_booked/);
            await page
              .getByRole('textbox', { name: 'People' })
              .fill(`number,1,2\n${newPeople(1)[0]},Ana,1 May\nnobody,x,y`);
            await page.getByRole('button', { name: 'Check' }).click();
            await page.getByRole('button', { name: 'Send to 1 person' }).waitFor();
            await check('form');
          },
          '/broadcasts',
          { ...options, colorScheme },
        );
      });
    }
  }
});

/** For whoever wants to look at the page: PICTURES=/tmp/pictures */
async function keepPicture(page: Page, name: string): Promise<void> {
  const folder = process.env.PICTURES;
  if (folder) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}
