/** The operations of the inbox's API, one row per route. The router and the OpenAPI description are generated from these rows. */
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
  /** A large body, which the handler reads itself: JSON, or CSV with its options in the query. */
  upload?: { json: z.ZodObject; csv: z.ZodObject };
  /** The JSON of a 200, or the media type of the response. */
  answer: z.ZodObject | 'text/event-stream' | '*/*' | 'application/json' | 'text/csv';
  /** The answer is written while it is made: the handler gives it to the response itself. */
  streams?: true;
  /** Error statuses beside those that every operation has: 400, 401, 503, and 403 when it changes something. */
  refusals?: readonly number[];
}

/** All of them need the sign-in. */
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
    summary: 'The messages of one contact, both ways',
    params: requests.ofPhone,
    query: requests.conversation,
    answer: responses.conversation,
    refusals: [404],
  },
  numbers: {
    method: 'get',
    path: '/api/whatsapp/numbers',
    summary: 'The numbers of ours that people write to',
    answer: responses.numbers,
  },
  markRead: {
    method: 'post',
    path: '/api/whatsapp/mark-read',
    summary: 'Marks all messages of a contact as read',
    body: requests.markRead,
    answer: responses.markRead,
  },
  send: {
    method: 'post',
    path: '/api/whatsapp/send',
    summary:
      'Writes to a contact as a person and pauses the bot for 30 minutes; 409 when more than 24 hours passed since their last message, or when the contact is blocked; 422 when they have opted out',
    body: requests.send,
    answer: responses.send,
    refusals: [409, 422, 502],
  },
  templates: {
    method: 'get',
    path: '/api/whatsapp/templates',
    summary: 'The templates of our accounts, as they were at most five minutes ago',
    query: requests.templates,
    answer: responses.templates,
  },
  sendTemplate: {
    method: 'post',
    path: '/api/whatsapp/send-template',
    summary:
      'Sends a template to a contact, also one who never wrote or wrote more than 24 hours ago; the bot is not paused. 409 when the contact is blocked; 422 when they have opted out, or the template cannot be sent like this',
    body: requests.sendTemplate,
    answer: responses.send,
    refusals: [409, 422, 502],
  },
  status: {
    method: 'post',
    path: '/api/whatsapp/conversation-status',
    summary: 'Archives a conversation, blocks a contact, or makes both active again; a blocked contact is not answered',
    body: requests.status,
    answer: responses.status,
    refusals: [404],
  },
  history: {
    method: 'post',
    path: '/get',
    summary: "The messages of one number, both ways, newest first, in Meta's format",
    body: requests.history,
    answer: responses.history,
    streams: true,
  },
  histories: {
    method: 'post',
    path: '/get-bulk',
    summary: "The messages of several numbers in Meta's format",
    body: requests.histories,
    answer: responses.histories,
    streams: true,
  },
  initiateBulk: {
    method: 'post',
    path: '/initiate-bulk',
    summary: 'Sends a template to at most 100 numbers and waits for it: one result for each number',
    body: requests.initiateBulk,
    answer: responses.initiateBulk,
    refusals: [413, 422],
  },
  broadcasts: {
    method: 'get',
    path: '/api/broadcasts',
    summary: 'Broadcasts, newest first',
    query: requests.broadcasts,
    answer: responses.broadcasts,
  },
  createBroadcast: {
    method: 'post',
    path: '/api/broadcasts',
    summary:
      'Sends a template to many people in the background: a list as JSON or CSV, up to 10 MB; 422 when the template cannot be sent or has no such variable',
    upload: { json: requests.createBroadcast, csv: requests.uploadBroadcast },
    answer: responses.createBroadcast,
    refusals: [413, 415, 422, 502],
  },
  broadcastOptions: {
    method: 'get',
    path: '/api/broadcast-options',
    summary: 'What broadcasts are sent from and by which settings',
    answer: responses.broadcastOptions,
  },
  broadcast: {
    method: 'get',
    path: '/api/broadcasts/:id',
    summary: 'How far a broadcast is',
    params: requests.ofId,
    answer: responses.broadcast,
    refusals: [404],
  },
  broadcastRows: {
    method: 'get',
    path: '/api/broadcasts/:id/rows',
    summary: 'What became of each row, in the order of the list',
    params: requests.ofId,
    query: requests.broadcastRows,
    answer: responses.broadcastRows,
    refusals: [404],
  },
  exportBroadcast: {
    method: 'get',
    path: '/api/broadcasts/:id/export.csv',
    summary: 'The rows as CSV',
    params: requests.ofId,
    answer: 'text/csv',
    streams: true,
    refusals: [404],
  },
  pauseBroadcast: {
    method: 'post',
    path: '/api/broadcasts/:id/pause',
    summary: 'Sends no more until it is resumed; what is being sent is sent',
    params: requests.ofId,
    answer: responses.broadcast,
    refusals: [404],
  },
  resumeBroadcast: {
    method: 'post',
    path: '/api/broadcasts/:id/resume',
    summary: 'Goes on with a broadcast that was paused, or stopped automatically',
    params: requests.ofId,
    answer: responses.broadcast,
    refusals: [404],
  },
  cancelBroadcast: {
    method: 'post',
    path: '/api/broadcasts/:id/cancel',
    summary: 'Ends a broadcast: the rows that wait are skipped',
    params: requests.ofId,
    answer: responses.broadcast,
    refusals: [404],
  },
  consent: {
    method: 'post',
    path: '/api/whatsapp/consent',
    summary:
      'Records that a contact agreed to get messages or wants none, with the source; also before they have written',
    body: requests.consent,
    answer: responses.done,
  },
  consents: {
    method: 'get',
    path: '/api/whatsapp/consent/:phone',
    summary: 'What a contact agreed to, entry by entry',
    params: requests.ofPhone,
    answer: responses.consents,
  },
  notSpam: {
    method: 'post',
    path: '/api/whatsapp/not-spam',
    summary: 'Says that what a contact writes is no spam: they are answered, and nobody is asked again for 30 days',
    body: requests.notSpam,
    answer: responses.status,
    refusals: [404],
  },
  writing: {
    method: 'post',
    path: '/api/whatsapp/writing',
    summary: 'Tells the open pages that somebody of the team writes an answer; to be repeated every few seconds',
    body: requests.writing,
    answer: responses.done,
    refusals: [404],
  },
  takeover: {
    method: 'post',
    path: '/api/whatsapp/takeover',
    summary: 'Pauses the bot in a conversation, or lets it answer again',
    body: requests.takeover,
    answer: responses.takeover,
    refusals: [404],
  },
  threadControl: {
    method: 'post',
    path: '/api/whatsapp/thread-control',
    summary:
      'Gives a conversation to another responder beside us, or takes it; a message that is sent takes it, too. 502 when the provider does not allow it',
    body: requests.threadControl,
    answer: responses.status,
    refusals: [404, 502],
  },
  analytics: {
    method: 'get',
    path: '/api/whatsapp/analytics',
    summary: 'The eight numbers, and the days for the charts',
    query: requests.analytics,
    answer: responses.analytics,
  },
  costs: {
    method: 'get',
    path: '/api/whatsapp/costs',
    summary: 'What messages and models cost: by day, by purpose, by conversation, against the budget of the month',
    query: requests.costs,
    answer: responses.costs,
  },
  tasks: {
    method: 'get',
    path: '/api/whatsapp/tasks',
    summary: 'Tasks by due date (those without one last), then by priority',
    query: requests.tasks,
    answer: responses.tasks,
  },
  taskTypes: {
    method: 'get',
    path: '/api/whatsapp/task-types',
    summary: 'The types that a task may be given: those of the analysis, and those that tasks have',
    answer: responses.taskTypes,
  },
  sentiments: {
    method: 'get',
    path: '/api/whatsapp/sentiments',
    summary: 'How a message may sound: what the analysis chooses from',
    answer: responses.sentiments,
  },
  notices: {
    method: 'get',
    path: '/api/whatsapp/notices',
    summary: 'What the operator should know or mend: a setting that is missing, a budget that is nearly used up',
    answer: responses.notices,
  },
  task: {
    method: 'get',
    path: '/api/whatsapp/tasks/:id',
    summary: 'One task',
    params: requests.ofId,
    answer: responses.task,
    refusals: [404],
  },
  createTask: {
    method: 'post',
    path: '/api/whatsapp/tasks',
    summary: 'Creates a task',
    body: requests.createTask,
    answer: responses.task,
  },
  updateTask: {
    method: 'patch',
    path: '/api/whatsapp/tasks/:id',
    summary: 'Changes the given fields of a task',
    params: requests.ofId,
    body: requests.updateTask,
    answer: responses.task,
    refusals: [404],
  },
  deadLetters: {
    method: 'get',
    path: '/api/whatsapp/dead-letters',
    summary: 'Dead letters, newest first',
    query: requests.deadLetters,
    answer: responses.deadLetters,
  },
  replayDeadLetter: {
    method: 'post',
    path: '/api/whatsapp/dead-letters/:id/replay',
    summary: 'Tries again; 503 while another answer to this contact is being sent',
    params: requests.ofId,
    answer: responses.done,
    refusals: [404],
  },
  dropDeadLetter: {
    method: 'delete',
    path: '/api/whatsapp/dead-letters/:id',
    summary: 'Discards a dead letter',
    params: requests.ofId,
    answer: responses.done,
    refusals: [404],
  },
  retryAnalyses: {
    method: 'post',
    path: '/api/whatsapp/analyses/retry',
    summary:
      'Analyses again what could not be analysed; such messages are listed by the inbox with analysis_status=failed',
    body: requests.retryAnalyses,
    answer: responses.retryAnalyses,
    refusals: [404],
  },
  media: {
    method: 'get',
    path: '/api/whatsapp/media/:id/:n',
    summary: 'A file of a message, downloaded from the provider',
    params: requests.media,
    answer: '*/*',
    refusals: [404, 422],
  },
  events: {
    method: 'get',
    path: '/api/whatsapp/events',
    summary: 'Changes as server-sent events (change, reset, ready); continues after Last-Event-ID',
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

/** Paths whose handlers read the body themselves. */
export const UPLOADS: ReadonlySet<string> = new Set(
  Object.values<Operation>(OPERATIONS).flatMap(({ upload, path }) => (upload ? [path] : [])),
);

/** Open without a sign-in: how to get a session, see `auth.ts`. */
export const SESSION_OPERATIONS = {
  signIn: {
    method: 'post',
    path: '/api/session',
    summary: 'Signs in; the session is a cookie of 12 hours',
    body: requests.signIn,
    answer: responses.session,
    refusals: [429],
  },
  session: { method: 'get', path: '/api/session', summary: 'The session, if there is one', answer: responses.session },
  signOut: { method: 'delete', path: '/api/session', summary: 'Signs out', answer: responses.done },
} as const satisfies Record<string, Operation>;
