/** The page's calls of the inbox's API. Everything rejects with a `Refused` whose message can be shown. */
import type { z } from 'zod';
import type { requests, responses } from '../../inbox/contract.ts';
import type { Place } from './paths.ts';

const API = '/api/whatsapp';
const SESSION = '/api/session';
const BROADCASTS = '/api/broadcasts';

/** The event of the window when an answer shows that the session has ended. */
export const SIGNED_OUT = 'signed-out';

export const EVENTS_URL = `${API}/events`;

type Answer<Name extends keyof typeof responses> = z.infer<(typeof responses)[Name]>;
type Query<Name extends keyof typeof requests> = Partial<z.input<(typeof requests)[Name]>>;
type Body<Name extends keyof typeof requests> = z.input<(typeof requests)[Name]>;

/** The server refused the request, or cannot be reached. */
export class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Sent with every request that changes something; the session returns it. */
let csrf = '';

export async function session(): Promise<boolean> {
  const answer = await send<Answer<'session'>>('GET', SESSION);
  csrf = answer.csrf ?? '';
  return answer.csrf !== null;
}

export async function signIn(password: string): Promise<void> {
  csrf = (await send<Answer<'session'>>('POST', SESSION, { password })).csrf ?? '';
}

export function signOut(): Promise<unknown> {
  return send('DELETE', SESSION);
}

export function conversations(query: Query<'conversations'>): Promise<Answer<'conversations'>> {
  return send('GET', `${API}/conversations${searchOf(query)}`);
}

/** The messages, both ways, of one conversation that have the words. */
export function find({ phone, business }: Place, search: string): Promise<Answer<'inbox'>> {
  const place = { phone_number: phone, business_number: business };
  return send('GET', `${API}/inbox${searchOf({ ...place, search, direction: 'both', limit: 100 })}`);
}

export function conversation(
  { phone, business }: Place,
  query: Query<'conversation'>,
): Promise<Answer<'conversation'>> {
  const path = `${API}/conversation/${encodeURIComponent(phone)}`;
  return send('GET', path + searchOf({ business_number: business, ...query }));
}

/** Our own numbers. */
export function numbers(): Promise<Answer<'numbers'>> {
  return send('GET', `${API}/numbers`);
}

export function markRead(body: Body<'markRead'>): Promise<Answer<'markRead'>> {
  return send('POST', `${API}/mark-read`, body);
}

export function write(body: Body<'send'>): Promise<Answer<'send'>> {
  return send('POST', `${API}/send`, body);
}

/** Of one channel, or of all. */
export function templates(query: Query<'templates'>): Promise<Answer<'templates'>> {
  return send('GET', `${API}/templates${searchOf(query)}`);
}

export function sendTemplate(body: Body<'sendTemplate'>): Promise<Answer<'send'>> {
  return send('POST', `${API}/send-template`, body);
}

export function setStatus(body: Body<'status'>): Promise<Answer<'status'>> {
  return send('POST', `${API}/conversation-status`, body);
}

export function notSpam(body: Body<'notSpam'>): Promise<Answer<'status'>> {
  return send('POST', `${API}/not-spam`, body);
}

export function writing(body: Body<'writing'>): Promise<Answer<'done'>> {
  return send('POST', `${API}/writing`, body);
}

/** What a contact said about getting messages, newest first. */
export function consents(phone: string): Promise<Answer<'consents'>> {
  return send('GET', `${API}/consent/${encodeURIComponent(phone)}`);
}

export function recordConsent(body: Body<'consent'>): Promise<Answer<'done'>> {
  return send('POST', `${API}/consent`, body);
}

export function takeover(body: Body<'takeover'>): Promise<Answer<'takeover'>> {
  return send('POST', `${API}/takeover`, body);
}

export function threadControl(body: Body<'threadControl'>): Promise<Answer<'status'>> {
  return send('POST', `${API}/thread-control`, body);
}

export function tasks(query: Query<'tasks'>): Promise<Answer<'tasks'>> {
  return send('GET', `${API}/tasks${searchOf(query)}`);
}

export function createTask(body: Body<'createTask'>): Promise<Answer<'task'>> {
  return send('POST', `${API}/tasks`, body);
}

export function updateTask(id: string, body: Body<'updateTask'>): Promise<Answer<'task'>> {
  return send('PATCH', `${API}/tasks/${encodeURIComponent(id)}`, body);
}

export function analytics(days: number): Promise<Answer<'analytics'>> {
  return send('GET', `${API}/analytics?days=${days}`);
}

export function costs(query: Query<'costs'>): Promise<Answer<'costs'>> {
  return send('GET', `${API}/costs${searchOf(query)}`);
}

export function notices(): Promise<Answer<'notices'>> {
  return send('GET', `${API}/notices`);
}

export function sentiments(): Promise<Answer<'sentiments'>> {
  return send('GET', `${API}/sentiments`);
}

export function taskTypes(): Promise<Answer<'taskTypes'>> {
  return send('GET', `${API}/task-types`);
}

export function task(id: string): Promise<Answer<'task'>> {
  return send('GET', `${API}/tasks/${encodeURIComponent(id)}`);
}

export function deadLetters(query: Query<'deadLetters'>): Promise<Answer<'deadLetters'>> {
  return send('GET', `${API}/dead-letters${searchOf(query)}`);
}

/** Messages that could not be analysed. */
export function failedAnalyses(query: Query<'inbox'>): Promise<Answer<'inbox'>> {
  return send('GET', `${API}/inbox${searchOf({ ...query, analysis_status: 'failed' })}`);
}

/** Of one message, or of all. */
export function retryAnalyses(messageId?: string): Promise<Answer<'retryAnalyses'>> {
  return send('POST', `${API}/analyses/retry`, messageId ? { message_id: messageId } : {});
}

export function replay(id: string): Promise<unknown> {
  return send('POST', `${API}/dead-letters/${encodeURIComponent(id)}/replay`, {});
}

export function drop(id: string): Promise<unknown> {
  return send('DELETE', `${API}/dead-letters/${encodeURIComponent(id)}`);
}

export function broadcastOptions(): Promise<Answer<'broadcastOptions'>> {
  return send('GET', '/api/broadcast-options');
}

export function broadcasts(query: Query<'broadcasts'>): Promise<Answer<'broadcasts'>> {
  return send('GET', `${BROADCASTS}${searchOf(query)}`);
}

export function broadcast(id: string): Promise<Answer<'broadcast'>> {
  return send('GET', `${BROADCASTS}/${encodeURIComponent(id)}`);
}

export function broadcastRows(id: string, query: Query<'broadcastRows'>): Promise<Answer<'broadcastRows'>> {
  return send('GET', `${BROADCASTS}/${encodeURIComponent(id)}/rows${searchOf(query)}`);
}

export function stepBroadcast(id: string, step: 'pause' | 'resume' | 'cancel'): Promise<Answer<'broadcast'>> {
  return send('POST', `${BROADCASTS}/${encodeURIComponent(id)}/${step}`, {});
}

/** Where the rows of a broadcast are as a file. */
export function exportUrl(id: string): string {
  return `${BROADCASTS}/${encodeURIComponent(id)}/export.csv`;
}

export function createBroadcast(body: Body<'createBroadcast'>): Promise<Answer<'createBroadcast'>> {
  return send('POST', BROADCASTS, body);
}

/** @param csv a list with a header */
export function uploadBroadcast(csv: string, query: Query<'uploadBroadcast'>): Promise<Answer<'createBroadcast'>> {
  return send('POST', `${BROADCASTS}${searchOf(query)}`, csv);
}

function searchOf(query: Record<string, unknown>): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  return given.length === 0 ? '' : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}

/** @param body JSON; a text is CSV */
async function send<T>(method: string, path: string, body?: object | string): Promise<T> {
  const type = typeof body === 'string' ? 'text/csv' : 'application/json';
  const response = await fetch(path, {
    method,
    headers: { 'x-csrf-token': csrf, ...(body === undefined ? {} : { 'Content-Type': type }) },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  }).catch(() => {
    throw new Refused(0, 'The server cannot be reached. Check that it runs and that this device is online.');
  });
  const answer = await response.json().catch(() => ({}));
  if (response.status === 401 && path !== SESSION) window.dispatchEvent(new Event(SIGNED_OUT));
  if (!response.ok) throw new Refused(response.status, answer.error ?? `The server answered ${response.status}.`);
  return answer;
}
