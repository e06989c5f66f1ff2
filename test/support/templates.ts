/** Templates as Meta and Twilio list them. */
import type { MetaDouble } from '../doubles/meta.ts';
import type { TwilioContent } from '../doubles/twilio.ts';

const BODY = 'Hello {{1}}, your table on {{2}} is booked.';

export const META_TEMPLATES: MetaDouble['templates'][number][] = [
  {
    name: 'table_booked',
    language: 'en',
    status: 'APPROVED',
    category: 'UTILITY',
    components: [{ type: 'BODY', text: BODY }],
  },
  {
    name: 'welcome',
    language: 'en',
    status: 'APPROVED',
    category: 'MARKETING',
    components: [
      { type: 'HEADER', format: 'TEXT', text: 'Casa Lola' },
      { type: 'BODY', text: 'Welcome! How can we help you?' },
      { type: 'FOOTER', text: 'Write STOP to end this.' },
      { type: 'BUTTONS', buttons: [{ type: 'QUICK_REPLY', text: 'Book a table' }] },
    ],
  },
  {
    name: 'welcome',
    language: 'es',
    status: 'REJECTED',
    rejected_reason: 'TAG_CONTENT_MISMATCH',
    category: 'MARKETING',
    components: [{ type: 'BODY', text: '¡Hola!' }],
  },
  {
    name: 'offer',
    language: 'en',
    status: 'PAUSED',
    category: 'MARKETING',
    components: [
      { type: 'HEADER', format: 'IMAGE' },
      { type: 'BODY', text: 'Dear {{first_name}}, {{offer}} until Sunday.' },
      {
        type: 'BUTTONS',
        buttons: [
          { type: 'URL', text: 'Look', url: 'https://example.com/offers/{{1}}' },
          { type: 'COPY_CODE', text: 'Copy code' },
        ],
      },
    ],
  },
];

export const TABLE_BOOKED_SID = 'HX0000000000000000000000000000000a';
export const WELCOME_SID = 'HX0000000000000000000000000000000b';

export const TWILIO_TEMPLATES: TwilioContent[] = [
  content(TABLE_BOOKED_SID, 'table_booked', 'approved', BODY, { '1': 'Ana', '2': '1 May' }),
  content(WELCOME_SID, 'welcome', 'approved', 'Welcome! How can we help you?'),
  content('HX0000000000000000000000000000000c', 'offer', 'paused', 'Dear {{1}}, come soon.', { '1': 'Ana' }),
  content('HX0000000000000000000000000000000d', 'loud', 'rejected', 'BUY NOW'),
];

function content(
  sid: string,
  name: string,
  status: string,
  body: string,
  variables: Record<string, string> = {},
): TwilioContent {
  return {
    sid,
    friendly_name: name,
    language: 'en',
    variables,
    types: { 'twilio/text': { body } },
    approval_requests: { name, category: name === 'table_booked' ? 'UTILITY' : 'MARKETING', status },
  };
}
