/** A number on Meta's Cloud API: its settings, and what Meta posts. */
import { metaSignature, newWamid, type TakenMessage } from '../doubles/meta.ts';

export const ACCESS_TOKEN = 'test-access-token';
export const APP_SECRET = 'test-app-secret';
export const VERIFY_TOKEN = 'test-verify-token';
export const PHONE_NUMBER_ID = '106540352242922';
/** Of the account that has the templates. */
export const ACCOUNT_ID = '419561257915477';
/** Of the recorded payloads. */
export const NUMBER = '15550783881';

export const NUMBERS = { [PHONE_NUMBER_ID]: '+1 555-078-3881' };

/** @param url of the double */
export function metaSettings(url: string) {
  return {
    ACCESS_TOKEN,
    PHONE_NUMBER_ID,
    BUSINESS_ACCOUNT_ID: ACCOUNT_ID,
    VERIFY_TOKEN,
    META_APP_SECRET: APP_SECRET,
    GRAPH_API_BASE: url,
  };
}

/** A message as Meta has it in a batch, with overrides. */
export function metaMessage(from: string, overrides: Record<string, unknown> = {}): Record<string, unknown> {
  const timestamp = String(Math.floor(Date.now() / 1_000));
  return { from, id: newWamid(), timestamp, type: 'text', text: { body: 'hello' }, ...overrides };
}

/** What became of a message of ours. */
export function metaStatus(message: TakenMessage, status: string, overrides: Record<string, unknown> = {}) {
  return {
    id: message.id,
    status,
    timestamp: String(Math.floor(Date.now() / 1_000)),
    recipient_id: message.to,
    ...(message.data === undefined ? {} : { biz_opaque_callback_data: message.data }),
    ...overrides,
  };
}

interface Things {
  messages?: unknown[];
  statuses?: unknown[];
  contacts?: unknown[];
  message_echoes?: unknown[];
  standby?: object;
  user_preferences?: unknown[];
  calls?: unknown[];
  history?: unknown[];
  phoneNumberId?: string;
  field?: string;
}

/** A batch around messages and statuses. */
export function batchOf({ phoneNumberId = PHONE_NUMBER_ID, field = 'messages', ...things }: Things): object {
  const metadata = { display_phone_number: NUMBER, phone_number_id: phoneNumberId };
  const value = { messaging_product: 'whatsapp', metadata, ...things };
  return { object: 'whatsapp_business_account', entry: [{ id: ACCOUNT_ID, changes: [{ field, value }] }] };
}

/** A batch that tells of a thread: we got it, or lost it. @param at unix ms */
export function handoverOf(
  phone: string,
  type: 'control_passed' | 'control_taken',
  at = Date.now(),
  passed: Record<string, unknown> = {},
): object {
  const value = {
    messaging_product: 'whatsapp',
    recipient: { display_phone_number: NUMBER, phone_number_id: PHONE_NUMBER_ID },
    sender: { phone_number: phone },
    timestamp: String(Math.floor(at / 1_000)),
    type,
    ...(type === 'control_passed' && {
      control_passed: {
        previous_owner_app_role: 'meta_business_agent',
        previous_owner_role: 'ai_agent',
        new_owner_role: 'escalation',
        ...passed,
      },
    }),
  };
  return changeOf('messaging_handovers', value, at);
}

/** One change of a field, in a batch with this stamp, unix ms. */
export function changeOf(field: string, value: object, at = Date.now()): object {
  const entry = { id: '419561257915477', time: Math.floor(at / 1_000), changes: [{ field, value }] };
  return { object: 'whatsapp_business_account', entry: [entry] };
}

/** Meta writes what is not ASCII as escapes. */
export function asMetaWrites(batch: unknown): string {
  return JSON.stringify(batch).replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Posts a batch, signed. */
export function postBatch(
  botUrl: string,
  batch: unknown,
  headers: Record<string, string> = {},
  signal: AbortSignal | null = null,
): Promise<Response> {
  const body = typeof batch === 'string' ? batch : asMetaWrites(batch);
  return fetch(`${botUrl}/webhook`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Hub-Signature-256': metaSignature(APP_SECRET, body), ...headers },
    body,
    signal,
  });
}
