/**
 * Takes the README's pictures of the inbox: `node --import tsx test/web/inbox-screenshots.ts`. Needs Chromium, and fonts that have
 * emoji (fonts-noto-color-emoji).
 */
import { readFileSync } from 'node:fs';
import { sql } from 'kysely';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { PASSWORD } from '../inbox/desk.ts';
import { startBrowser } from '../support/browser.ts';
import { DAY_MS, type Meaning, type Said, startInboxDesk } from './inbox-desk.ts';
import { shoot } from './shoot.ts';

const DESKTOP = { viewport: { width: 1440, height: 900 } };
const PHONE = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

const ANA = '15550100101';
const BEN = '15550100102';
const PEOPLE =
  `Ana Torres,Ben Okafor,Chloé Martin,Daniel Fischer,Maya,Farah Haddad,Grace Hopper,Ines Carvalho,Jonas Lindqvist,Kavya Rao,
  Liam O’Connor,Noor Aziz,Omar Diallo`.split(/,\s*/);
const contactOf = (n: number) => String(15_550_100_101 + n);

/** What people say on an ordinary day, what is answered, and what the analysis makes of it. */
const DAYS: { text: string; answer: string; meaning: Meaning | null }[] = [
  {
    text: 'Is the blue sofa still in stock?',
    answer: 'Yes, two are left. Shall I reserve one for you?',
    meaning: {
      summary: 'Asks whether the blue sofa is in stock.',
      sentiment: 'neutral',
      products: ['blue sofa'],
      task: task('Reserve the blue sofa', 'follow_up', 3),
    },
  },
  {
    text: 'Thank you, that was quick!',
    answer: 'You are welcome. Have a lovely day!',
    meaning: { summary: 'Thanks for the quick help.', sentiment: 'positive', intent: 'thanks' },
  },
  {
    text: 'Could you send me the offer for 12 chairs?',
    answer: 'Of course, the team will send you the offer by tomorrow.',
    meaning: {
      summary: 'Asks for an offer for 12 chairs.',
      sentiment: 'neutral',
      intent: 'purchase',
      products: ['chairs'],
      task: task('Work out a price for 12 chairs', 'proposal', 4),
    },
  },
  {
    text: 'What are your opening hours on Saturday?',
    answer: 'On Saturdays we are open from 9:00 to 14:00.',
    meaning: { summary: 'Asks for the opening hours on Saturday.', sentiment: 'neutral' },
  },
  {
    text: 'My delivery did not come today, this is the second time',
    answer: 'I am sorry. I have told the team; they will call you today.',
    meaning: {
      summary: 'Complains about a delivery that did not come, for the second time.',
      sentiment: 'negative',
      intent: 'complaint',
      task: task('Find out where the parcel is', 'call', 2),
    },
  },
  {
    text: 'The water heater leaks, please send somebody now!',
    answer: 'Somebody is on the way. Please close the valve meanwhile.',
    meaning: {
      summary: 'Reports a leaking water heater that cannot wait.',
      sentiment: 'urgent',
      intent: 'support',
      task: task('Send a plumber for the water heater', 'support', 1),
    },
  },
];

let tasks = 0;
const desk = await startInboxDesk();
const browser = await startBrowser();
await desk.remember(ordinaryDays());
await desk.analyse(meaningOf);
await workOff();
await desk.remember(today());
await sayInVoice();
await desk.analyse(meaningOf);
for (const contact of [ANA, BEN]) await desk.ask('POST', '/api/whatsapp/mark-read', { phone_number: contact });
await desk.redis.hset(desk.keys.of(`14155238886:${BEN}`).state, 'lastInbound', Date.now());
await desk.ask('POST', '/api/whatsapp/takeover', { phone_number: BEN, active: true, minutes: 30 });

const light = await sit(`/with/${BEN}`, { ...DESKTOP, colorScheme: 'light' });
await shoot(light, 'inbox-conversations');
await light.getByRole('tab', { name: 'Tasks' }).click();
await light.getByRole('heading', { name: /^To do/ }).waitFor();
await shootSoon(light, 'inbox-tasks');
await light.setViewportSize({ width: 1440, height: 1470 });
await light.getByRole('tab', { name: 'Dashboard' }).click();
await light.getByRole('heading', { name: 'Day by day' }).waitFor();
await shootSoon(light, 'inbox-dashboard');
await shoot(await sit(`/with/${ANA}`, { ...DESKTOP, colorScheme: 'dark' }), 'inbox-dark');
await shoot(await sit(`/with/${ANA}`, { ...PHONE, colorScheme: 'light' }), 'inbox-phone');

await browser.close();
await desk.stop();

function task(title: string, type: string, priority: number) {
  return { title, type, priority };
}

/** Sixty days, by chance but always the same. */
function ordinaryDays(): Said[] {
  let seed = 7;
  const random = (n: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % n;
  };
  return Array.from({ length: 60 * 16 }, (_, i) => {
    const [who, said] = [random(PEOPLE.length), DAYS[random(8) % DAYS.length]];
    const ageMs = (1 + Math.floor(i / 16)) * DAY_MS - random(12) * 3_600_000 + random(60) * 60_000;
    return {
      contact: contactOf(who),
      name: PEOPLE[who] ?? '',
      text: random(5) < 4 ? (said?.text ?? '') : 'ok',
      at: Date.now() - Math.max(ageMs, 5 * 3_600_000),
      answer: said?.answer ?? '',
      waitedMs: 900 + random(2_600) + (random(14) === 0 ? 8_000 : 0),
      usage: { prompt: 1_500 + random(1_200), completion: 60 + random(120), cached: 900 + random(500) },
    };
  }).sort((a, b) => a.at - b.at);
}

function today(): Said[] {
  const at = Date.now();
  return [
    {
      contact: ANA,
      name: PEOPLE[0] ?? '',
      text: 'Good morning! What does the round table cost?',
      at: at - 26 * 60_000,
      answer: 'Good morning, Ana! The round table costs\n- oak, oiled: *480 €*\n- walnut: *610 €*',
    },
    {
      contact: BEN,
      name: PEOPLE[1] ?? '',
      text: 'Hi! I need to schedule a meeting with John Smith from ABC Corp next Tuesday to discuss the proposal. This is urgent.',
      at: at - 17 * 60_000,
      answer: 'I have passed this on as urgent; somebody will get back to you today.',
    },
    {
      contact: contactOf(5),
      name: PEOPLE[5] ?? '',
      text: 'The second chair has a scratch. Not happy with this.',
      at: at - 9 * 60_000,
      answer: 'I am sorry about that! I have told the team.',
    },
    {
      contact: contactOf(4),
      name: PEOPLE[4] ?? '',
      text: 'The lamp is beautiful, thank you!',
      at: at - 3 * 60_000,
      answer: 'Glad to hear that!',
    },
  ];
}

function meaningOf(text: string): Meaning | null {
  if (text.includes('John Smith'))
    return {
      summary: 'Wants to schedule an urgent meeting with John Smith of ABC Corp about the proposal.',
      sentiment: 'urgent',
      intent: 'scheduling',
      people: ['John Smith'],
      companies: ['ABC Corp'],
      dates: ['next Tuesday'],
      task: { ...task('Schedule a meeting with John Smith', 'meeting', 1), dueDate: dayFromNow(3) },
    };
  if (text.includes('oak one'))
    return {
      summary: 'Likes the oak table and wants a call tomorrow after 16:00 about the delivery.',
      sentiment: 'positive',
      intent: 'callback',
      dates: ['tomorrow after four'],
      products: ['oak table'],
      task: { ...task('Call Ana about the delivery of the oak table', 'call', 2), dueDate: dayFromNow(1) },
    };
  if (text.includes('scratch'))
    return { summary: 'Complains about a scratch on a chair.', sentiment: 'negative', intent: 'complaint' };
  if (text.includes('beautiful')) return { summary: 'Likes the lamp.', sentiment: 'positive', intent: 'thanks' };
  const said = DAYS.find((one) => text.includes(one.text));
  if (!said?.meaning) return null;
  const { task: made, ...meaning } = said.meaning;
  // Not everything is one: a board with hundreds of cards is of no use to anybody.
  const wanted = made && ++tasks % 7 === 0;
  return wanted ? { ...meaning, task: { ...made, dueDate: dayFromNow((tasks % 6) - 1) } } : meaning;
}

function dayFromNow(days: number): string {
  return new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);
}

async function sayInVoice(): Promise<void> {
  const { model, twilio } = desk.doubles;
  model.transcript = 'The oak one is lovely. Could somebody call me tomorrow after four to talk about the delivery?';
  model.answer = () => 'With pleasure: somebody will call you **tomorrow after 16:00**.';
  const url = twilio.addMedia(readFileSync('test/fixtures/media/voice.ogg'), 'audio/ogg');
  const note = { NumMedia: '1', MediaUrl0: url, MediaContentType0: 'audio/ogg' };
  await desk.say(ANA, '', { ProfileName: 'Ana Torres', ...note });
}

/** The desk has read everything, and done most of it the day after. */
async function workOff(): Promise<void> {
  for (const n of PEOPLE.keys()) await desk.ask('POST', '/api/whatsapp/mark-read', { phone_number: contactOf(n) });
  await desk.database.run((db) =>
    sql`update sales_tasks t set created_at = m.received_at, status = case
        when m.received_at < now() - interval '6 days' then 'completed'
        when m.received_at < now() - interval '4 days' then 'in_progress' else 'pending' end,
      completed_at = case when m.received_at < now() - interval '6 days' then m.received_at + interval '1 day' end
      from whatsapp_messages m where m.id = t.whatsapp_message_id`.execute(db),
  );
  await desk.database.run((db) =>
    sql`update whatsapp_conversations c set open_tasks = (select count(*) from sales_tasks t
      where t.conversation_id = c.id and t.status in ('pending', 'in_progress'))`.execute(db),
  );
}

async function sit(path: string, options: BrowserContextOptions): Promise<Page> {
  const { page } = await browser.open(desk.page + path, options);
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('log').waitFor();
  await page.waitForTimeout(2_000);
  return page;
}

async function shootSoon(page: Page, name: string): Promise<void> {
  await page.waitForTimeout(2_000);
  await shoot(page, name);
}
