/** Templates that the simulated accounts have, as Meta and Twilio list them. */

interface Sample {
  name: string;
  /** Twilio's id of it. */
  sid: string;
  category: 'UTILITY' | 'MARKETING';
  state: 'approved' | 'pending';
  body: string;
  footer?: string;
  buttons: string[];
}

const LANGUAGE = 'en';

const SAMPLES: readonly Sample[] = [
  {
    name: 'order_ready',
    sid: `HX${'1'.repeat(32)}`,
    category: 'UTILITY',
    state: 'approved',
    body: 'Hello {{1}}, your order is ready. You can collect it until {{2}}.',
    buttons: ['I am on my way'],
  },
  {
    name: 'welcome',
    sid: `HX${'2'.repeat(32)}`,
    category: 'MARKETING',
    state: 'approved',
    body: 'Welcome! Ask us anything: opening hours, orders, deliveries.',
    footer: 'Write STOP to get no more messages.',
    buttons: [],
  },
  {
    name: 'summer_offer',
    sid: `HX${'3'.repeat(32)}`,
    category: 'MARKETING',
    state: 'pending',
    body: 'Dear {{1}}, everything with strawberries is half the price this week.',
    buttons: [],
  },
];

/** `GET /{account}/message_templates` */
export function listForMeta(): object {
  const data = SAMPLES.map(({ name, category, state, body, footer, buttons }) => ({
    name,
    language: LANGUAGE,
    status: state.toUpperCase(),
    category,
    components: [
      { type: 'BODY', text: body },
      ...(footer ? [{ type: 'FOOTER', text: footer }] : []),
      ...(buttons.length > 0
        ? [{ type: 'BUTTONS', buttons: buttons.map((text) => ({ type: 'QUICK_REPLY', text })) }]
        : []),
    ],
  }));
  return { data, paging: { cursors: { before: 'first', after: 'last' } } };
}

/** `GET /v1/ContentAndApprovals` */
export function listForTwilio(): object {
  const contents = SAMPLES.map(({ name, sid, category, state, body, buttons }) => ({
    sid,
    friendly_name: name,
    language: LANGUAGE,
    variables: Object.fromEntries(placesIn(body).map((place) => [place, ''])),
    types: { 'twilio/quick-reply': { body, actions: buttons.map((title) => ({ title, id: title })) } },
    approval_requests: { name, category, status: state, rejection_reason: '' },
  }));
  return { contents, meta: { page: 0, page_size: contents.length, key: 'contents', next_page_url: null } };
}

/** The text of one that may be sent; null when there is none. @param named by its name, or Twilio's id */
export function textOf(named: string, variables: Record<string, string>): string | null {
  const sample = SAMPLES.find(({ name, sid, state }) => state === 'approved' && (name === named || sid === named));
  if (!sample || placesIn(sample.body).some((place) => !variables[place])) return null;
  const body = sample.body.replace(/\{\{(\w+)\}\}/g, (place, name: string) => variables[name] ?? place);
  const buttons = sample.buttons.map((title) => `[${title}]`);
  return [body, sample.footer ?? '', ...buttons].filter((part) => part !== '').join('\n');
}

function placesIn(text: string): string[] {
  return [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name = '']) => name);
}
