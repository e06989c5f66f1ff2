/** What can be asked of the inbox's API: one row per route. The router is made of these rows, and so is the OpenAPI description. */
import type { z } from 'zod';
import { requests, responses } from './contract.ts';

export interface Operation {
  method: 'get' | 'post' | 'patch' | 'delete';
  /** As the router reads it: `:name` is a parameter. */
  path: string;
  summary: string;
  params?: z.ZodObject;
  query?: z.ZodObject;
  body?: z.ZodObject;
  /** The JSON of a 200; else the media type of what is sent. */
  answer: z.ZodObject | 'text/event-stream' | '*/*' | 'application/json';
  /** Statuses that it has beside those that all have: 400, 401, 503, and 403 when it changes something. */
  refusals?: readonly number[];
}

/** Behind the sign-in, all of them. */
export const OPERATIONS = {
  inbox: {
    method: 'get',
    path: '/api/whatsapp/inbox',
    summary: 'Messages, newest first',
    query: requests.inbox,
    answer: responses.inbox,
  },
  conversations: {
    method: 'get',
    path: '/api/whatsapp/conversations',
    summary: 'Conversations, the one that was last active first',
    query: requests.conversations,
    answer: responses.conversations,
  },
  conversation: {
    method: 'get',
    path: '/api/whatsapp/conversation/:phone',
    summary: 'What was said with one contact, both ways',
    params: requests.ofPhone,
    query: requests.conversation,
    answer: responses.conversation,
    refusals: [404],
  },
  markRead: {
    method: 'post',
    path: '/api/whatsapp/mark-read',
    summary: 'Nothing of a contact is unread any more',
    body: requests.markRead,
    answer: responses.markRead,
  },
  send: {
    method: 'post',
    path: '/api/whatsapp/send',
    summary: 'Writes to a contact as a person; 409 when more than 24 hours passed since their last message',
    body: requests.send,
    answer: responses.send,
    refusals: [409, 422, 502],
  },
  status: {
    method: 'post',
    path: '/api/whatsapp/conversation-status',
    summary: 'Archives, blocks or brings back a conversation; who is blocked is not answered',
    body: requests.status,
    answer: responses.status,
    refusals: [404],
  },
  takeover: {
    method: 'post',
    path: '/api/whatsapp/takeover',
    summary: 'Pauses the bot in a conversation, or hands it back',
    body: requests.takeover,
    answer: responses.takeover,
    refusals: [404],
  },
  analytics: {
    method: 'get',
    path: '/api/whatsapp/analytics',
    summary: 'The eight numbers, and the days for the charts',
    query: requests.analytics,
    answer: responses.analytics,
  },
  tasks: {
    method: 'get',
    path: '/api/whatsapp/tasks',
    summary: 'Tasks by due date, those without last, then by priority',
    query: requests.tasks,
    answer: responses.tasks,
  },
  createTask: {
    method: 'post',
    path: '/api/whatsapp/tasks',
    summary: 'Makes a task by hand',
    body: requests.createTask,
    answer: responses.task,
  },
  updateTask: {
    method: 'patch',
    path: '/api/whatsapp/tasks/:id',
    summary: 'Changes a task; what is not given stays',
    params: requests.ofId,
    body: requests.updateTask,
    answer: responses.task,
    refusals: [404],
  },
  deadLetters: {
    method: 'get',
    path: '/api/whatsapp/dead-letters',
    summary: 'What was given up, newest first',
    query: requests.deadLetters,
    answer: responses.deadLetters,
  },
  replayDeadLetter: {
    method: 'post',
    path: '/api/whatsapp/dead-letters/:id/replay',
    summary: 'Puts it back to work; 503 while another answer to this contact is under way',
    params: requests.ofId,
    answer: responses.done,
    refusals: [404],
  },
  dropDeadLetter: {
    method: 'delete',
    path: '/api/whatsapp/dead-letters/:id',
    summary: 'Forgets it',
    params: requests.ofId,
    answer: responses.done,
    refusals: [404],
  },
  media: {
    method: 'get',
    path: '/api/whatsapp/media/:id/:n',
    summary: 'A file of a message, fetched from the provider',
    params: requests.media,
    answer: '*/*',
    refusals: [404, 422],
  },
  events: {
    method: 'get',
    path: '/api/whatsapp/events',
    summary: 'What changes, live: server-sent events change, reset and ready; goes on after Last-Event-ID',
    answer: 'text/event-stream',
  },
  description: {
    method: 'get',
    path: '/api/openapi.json',
    summary: 'This description',
    answer: 'application/json',
  },
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof OPERATIONS;

/** Before the sign-in: how one gets a session, see `auth.ts`. */
export const SESSION_OPERATIONS = {
  signIn: {
    method: 'post',
    path: '/api/session',
    summary: 'Signs in; the session is a cookie of 12 hours',
    body: requests.signIn,
    answer: responses.session,
    refusals: [429],
  },
  session: { method: 'get', path: '/api/session', summary: 'Is somebody signed in?', answer: responses.session },
  signOut: { method: 'delete', path: '/api/session', summary: 'Signs out', answer: responses.done },
} as const satisfies Record<string, Operation>;
