/** What the page of an inbox asks, asked again and again. */
import { performance } from 'node:perf_hooks';
import type { Api } from './api.ts';
import { COMMON_WORD, contactOf, PART_OF_A_NAME, RARE_WORD } from './traffic.ts';

/** How long one question took to be answered, the body read and parsed. Times in ms. */
export interface Measure {
  group: string;
  name: string;
  requests: number;
  min: number;
  p50: number;
  p95: number;
  max: number;
  /** In the last answer. */
  rows: number;
}

export interface MeasureOptions {
  api: Api;
  contacts: number;
  /** How often each question is asked. */
  requests: number;
  signal: AbortSignal;
}

interface Question {
  group: string;
  name: string;
  /** The path of the n-th request, below `/api/whatsapp/`. */
  path: (n: number) => string;
}

/** Asked before anything is measured: connections open, pages are read into memory. */
const WARM_UP = 3;

/** One question after the other, one request at a time. */
export async function measure(options: MeasureOptions): Promise<Measure[]> {
  const measures: Measure[] = [];
  for (const question of await questionsOf(options)) measures.push(await measureOne(question, options));
  return measures;
}

async function measureOne(
  { group, name, path }: Question,
  { api, requests, signal }: MeasureOptions,
): Promise<Measure> {
  const took: number[] = [];
  let rows = 0;
  for (let n = -WARM_UP; n < requests; n++) {
    const began = performance.now();
    const { count } = await api.ask(path(n + WARM_UP), signal);
    if (n >= 0) took.push(performance.now() - began);
    rows = count;
  }
  took.sort((a, b) => a - b);
  const [min = Number.NaN, max = Number.NaN] = [took[0], took.at(-1)];
  return { group, name, requests, min, p50: percentile(took, 50), p95: percentile(took, 95), max, rows };
}

/** The smallest number that `percent` of them do not exceed; NaN for none. */
export function percentile(sorted: readonly number[], percent: number): number {
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN;
}

const LIST = 'conversations?limit=30';
const INBOX = 'inbox?limit=50';
const TASKS = 'tasks?limit=30&status=open';

async function questionsOf({ api, contacts, signal }: MeasureOptions): Promise<Question[]> {
  // Nobody wrote more than the first one.
  const longest = `conversation/${contactOf(0)}?limit=40`;
  const deep = async (path: string) => `${path}${await middleOf(api, path, signal)}`;
  const [list, thread, inbox, tasks] = [await deep(LIST), await deep(longest), await deep(INBOX), await deep(TASKS)];
  const groups: Record<string, Record<string, string | ((n: number) => string)>> = {
    'conversation list, 30 a page': {
      'first page': LIST,
      'deep page by cursor': list,
      unread: `${LIST}&filter=unread`,
      'with voice notes': `${LIST}&filter=voice`,
      'with open tasks': `${LIST}&filter=tasks`,
      'urgent, active': `${LIST}&sentiment=urgent&status=active`,
      'search: common word': `${LIST}&search=${COMMON_WORD}`,
      'search: rare word': `${LIST}&search=${RARE_WORD}`,
      'search: part of a name': `${LIST}&search=${PART_OF_A_NAME}`,
      'search: part of a number': (n) => `${LIST}&search=${contactOf((n * 37) % contacts).slice(4)}`,
    },
    'thread, 40 a page': {
      'newest, of anybody': (n) => `conversation/${contactOf((n * 37) % contacts)}?limit=40`,
      'newest, of the longest': longest,
      'older by cursor, of the longest': thread,
    },
    'messages, 50 a page': {
      'first page': INBOX,
      'deep page by cursor': inbox,
      'voice notes': `${INBOX}&filter=voice`,
      'search: common word': `${INBOX}&search=${COMMON_WORD}`,
      'search: rare word': `${INBOX}&search=${RARE_WORD}`,
      'search: beginning of words': (n) => `${INBOX}&search=${['inv', 'gar', 'del', 'bace'][n % 4]}`,
    },
    'tasks, 30 a page': { 'open, first page': TASKS, 'open, deep page by cursor': tasks },
    'analytics, totals and days': { '30 days': 'analytics?days=30', '90 days': 'analytics?days=90' },
  };
  return Object.entries(groups).flatMap(([group, questions]) =>
    Object.entries(questions).map(([name, path]) => ({
      ...{ group, name },
      path: typeof path === 'string' ? () => path : path,
    })),
  );
}

/** How many pages of 200 are turned at most to get deep into a list. */
const MOST_PAGES = 100;

/** `&cursor=…` of a place in the middle of a list, or `MOST_PAGES` down; nothing when it has one page. */
async function middleOf(api: Api, path: string, signal: AbortSignal): Promise<string> {
  const cursors: string[] = [];
  let next: string | null = null;
  do {
    const cursor: string = next ? `&cursor=${next}` : '';
    next = (await api.ask(path.replace(/limit=\d+/, 'limit=200') + cursor, signal)).next;
    if (next) cursors.push(next);
  } while (next && cursors.length < MOST_PAGES);
  const middle = cursors[next ? cursors.length - 1 : cursors.length >> 1];
  return middle ? `&cursor=${middle}` : '';
}
