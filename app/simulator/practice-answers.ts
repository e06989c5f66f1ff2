/** The answers of the practice model. It knows only the messages of the prompt, so that everything it remembers was remembered by the bot. */
import { isQuestion, type Knowledge, learn, nameIn, sentencesOf, subjectOfThing, tell } from './practice-facts.ts';

export interface PracticeMessage {
  role: string;
  /** The words of the message. */
  text: string;
  /** How many pictures came with it. */
  pictures: number;
  /** A description of each of them, when it could be read. */
  looks?: string[];
}

/** Begins every answer, so that it is not mistaken for a real model's. */
export const PRACTICE_LABEL = '[practice model]';

/** Answers the last message out of the messages before it and the notes in the system message. Never empty. */
export function practiceAnswer(messages: readonly PracticeMessage[]): string {
  const shown = lookAt(messages);
  const ordered = toOrder(shown.latest);
  if (ordered) return `${PRACTICE_LABEL} ${ordered}`;
  const voices = [...shown.latest.matchAll(TRANSCRIPT)].map(
    ([, received]) => `Your voice note has arrived: ${received}.`,
  );
  const reactions = sentencesOf(shown.latest.replace(TRANSCRIPT, '')).map((sentence) => reaction(sentence, shown));
  // "Hi! I need …" is no greeting: what comes after it was the point.
  const missed = reactions.includes(null) && reactions.every((words) => words === null || words === greeting(shown));
  const said = missed ? [] : reactions.filter((words) => words !== null);
  said.unshift(...voices);
  if (shown.pictures > 0) said.push(pictureTalk(shown));
  return `${PRACTICE_LABEL} ${said.length > 0 ? [...new Set(said)].join(' ') : echo(shown)}`;
}

/**
 * New notes out of the old ones and the lines that follow them, as facts one a line. When they get longer than
 * `maxTokens` (four characters each), the oldest facts go first, the name last.
 */
export function practiceSummary(messages: readonly PracticeMessage[], maxTokens: number): string {
  const known: Knowledge = new Map();
  let folded = 0;
  let speaker: 'notes' | 'person' | 'assistant' = 'notes';
  let last = '';
  for (const line of messages.filter(({ role }) => role !== 'system').flatMap(({ text }) => text.split('\n'))) {
    const [, label, rest = line] = /^(person|user|human|assistant|bot): ?(.*)/i.exec(line) ?? [];
    if (label) speaker = /^(?:assistant|bot)/i.test(label) ? 'assistant' : 'person';
    if (label && speaker === 'person') folded++;
    if (speaker === 'notes') folded += foldedIn(line);
    else if (speaker === 'person') last = rest.trim() || last;
    if (speaker !== 'assistant') learn(known, rest, speaker);
  }
  return notes(known, folded, last, maxTokens * 4);
}

/** Why a person is needed, when the latest message complains; else null. */
export function practiceComplaint(messages: readonly PracticeMessage[]): string | null {
  const latest = messages.findLast(({ role }) => role === 'user')?.text ?? '';
  const word = /\b(complain|complaint|furious|angry|disgrace|unacceptable)\b/i.exec(latest)?.[0];
  return word ? `They are upset: "${word}".` : null;
}

/** Replaces the transcript: the practice model understands no speech. */
export function practiceTranscript(received: string): string {
  return `(The practice model cannot understand speech. It received ${received}.)`;
}

const TRANSCRIPT = /\(The practice model cannot understand speech\. It received (.+?)\.\)/g;

/** How long to wait before the answer, ms, because the latest message asks for it: "answer slowly", "answer in 5 seconds", or dots at its end. */
export function practicePauseMs(messages: readonly PracticeMessage[]): number {
  const latest = messages.findLast(({ role }) => role === 'user')?.text ?? '';
  const seconds = /\banswer (?:in|after) (\d{1,3}) ?s(?:ec(?:ond)?s?)?\b/i.exec(latest)?.[1];
  if (seconds) return Math.min(Number(seconds), MOST_PAUSE_S) * 1_000;
  if (/\banswer (?:very )?slowly\b/i.test(latest)) return SLOWLY_S * 1_000;
  return latest.endsWith('…') ? UNFINISHED_MS : 0;
}

/** More than the 12 s that a webhook waits, so that one sees an answer come on its own. */
const SLOWLY_S = 14;
const MOST_PAUSE_S = 50;
/** Somebody who ends with dots writes more: so long a real model would take. */
const UNFINISHED_MS = 1_500;
const MOST_CHARACTERS = 20_000;

/** "write 3000 characters": so many, as paragraphs of counted sentences; null when nothing of that kind is asked for. */
function toOrder(latest: string): string | null {
  const wanted = Number(
    /\bwrite (\d{1,3}(?:[,.]\d{3})+|\d+) (?:characters|letters)\b/i.exec(latest)?.[1]?.replace(/[,.]/g, ''),
  );
  if (!(wanted > 0)) return null;
  const length = Math.min(wanted, MOST_CHARACTERS) - PRACTICE_LABEL.length - 1;
  let text = `You asked for ${wanted} characters, so here they are.`;
  for (let n = 1; text.length < length; n++) {
    text += `${n % 6 === 0 ? '\n\n' : ' '}This is sentence ${n} of a long answer, written to see how it is cut into messages.`;
  }
  return text.slice(0, Math.max(length, 1)).replace(/\s+$/, (blank) => '.'.repeat(blank.length));
}

function pictureTalk({ pictures, looks }: Shown): string {
  if (looks.length === 0) return `I see that you sent ${plural(pictures, 'picture')}, but I cannot look at pictures.`;
  return `I see ${looks.join(', and ')}. I can tell size and colours, not what it shows.`;
}

interface Shown {
  known: Knowledge;
  latest: string;
  /** In the latest message. */
  pictures: number;
  looks: string[];
  /** What the person wrote before, oldest first, a line each. */
  earlier: string[];
  /** How many of the person's messages the notes stand for. */
  folded: number;
  /** What was answered last; '' at the beginning. */
  answered: string;
}

function lookAt(messages: readonly PracticeMessage[]): Shown {
  const known: Knowledge = new Map();
  const system = messages
    .filter(({ role }) => role === 'system')
    .map(({ text }) => text)
    .join('\n');
  learn(known, system, 'notes');
  const theirs = messages.filter(({ role }) => role === 'user');
  const latest = theirs.at(-1);
  const earlier = theirs.slice(0, -1).flatMap(({ text }) => text.split('\n').filter((line) => line.trim() !== ''));
  for (const line of earlier) learn(known, line, 'person');
  return {
    known,
    latest: latest?.text ?? '',
    pictures: latest?.pictures ?? 0,
    looks: latest?.looks ?? [],
    earlier,
    folded: foldedIn(system),
    answered: messages.findLast(({ role }) => role === 'assistant')?.text ?? '',
  };
}

/** What one sentence of the latest message calls for; null when nothing in particular. */
function reaction(sentence: string, shown: Shown): string | null {
  const closed = /You cannot see the ([\w ]+) \(\S+\): ([^.]+)/.exec(sentence);
  if (closed) return `You sent a ${closed[1]}, but I cannot open it: ${closed[2]?.replace(/^you can /, 'I can ')}.`;
  const place = /^\[location: (.+)\]$/.exec(sentence)?.[1];
  if (place) return `You shared a place: ${place}.`;
  const button = /^\[pressed the button (.+)\]$/.exec(sentence)?.[1];
  if (button) return `You pressed a button, which told me "${quoted(button)}".`;
  if (isQuestion(sentence)) return answerTo(sentence, shown);
  const facts = learn(shown.known, sentence, 'person');
  if (facts.length > 0)
    return facts
      .map((fact) =>
        fact.kind === 'has' && fact.thing === 'name'
          ? `Nice to meet you, ${fact.value}. I will remember your name.`
          : fact.kind === 'asked'
            ? `I will remember: ${fact.value}.`
            : `I will remember that ${tell(fact, 'you')}.`,
      )
      .join(' ');
  if (GREETING.test(sentence)) return greeting(shown);
  if (/^(?:thanks|thank you)\b/i.test(sentence)) return 'You are welcome.';
  if (/^help\b/i.test(sentence)) return WHO_I_AM;
  return null;
}

/** And a word or two: "hello again, bot". */
const GREETING = /^(?:hi|hello|hey|hola|good (?:morning|afternoon|evening))(?:\P{L}+\p{L}+){0,2}\P{L}*$/iu;

const WHO_I_AM =
  'I am only used until a real model is configured (OPENAI_API_KEY, or OPENAI_BASE_URL for a compatible server). ' +
  'Tell me things like "my name is Ana" or "remember that the shop opens at nine", and ask me later: "what is my name?", ' +
  '"what do you remember?", "how many messages did I write?" Send me a picture, or write "answer slowly" or "write 3000 characters".';

/** The questions it understands, first match first. Gets what the pattern caught. */
const QUESTIONS: [RegExp, (shown: Shown, caught: string) => string][] = [
  [/\bhow many messages\b/i, countOf],
  [/\b(?:first message|(?:say|write|tell you) first)\b/i, firstOf],
  [/\b(?:last|previous) (?:message|thing)|\bwhat did i (?:just )?(?:say|write)\b/i, lastOf],
  [/\bwhat did you (?:just )?(?:say|answer|write)|\byour last (?:answer|message)\b/i, ownLastOf],
  [/\bwhat (?:do|did|can) you (?:know|remember)|\bwhat did i (?:tell you|ask you to remember)/i, allOf],
  [/\bwho am i\b/i, (shown) => thingOf(shown, 'name')],
  [
    /\bwho are you|what are you|what can you do|are you (?:a |an )?(?:bot|real|human|ai)|how (?:do|does) (?:you|this) work/i,
    () => WHO_I_AM,
  ],
  [/\bwhere am i from\b/i, (shown) => deedOf(shown, 'come')],
  [/\b(?:do i|i) (live|work|come|like|love|prefer|speak|study|play)\b/i, deedOf],
  [/\bmy ([\p{L}][\p{L}\p{N}'’ -]*?)(?: (?:is|are|was|again|now|please))*[?.! ]*$/iu, thingOf],
];

function answerTo(question: string, shown: Shown): string | null {
  for (const [pattern, answer] of QUESTIONS) {
    const match = pattern.exec(question);
    if (match) return answer(shown, match[1] ?? '');
  }
  return null;
}

function thingOf({ known }: Shown, thing: string): string {
  const fact = known.get(subjectOfThing(thing));
  return fact ? `You told me ${tell(fact, 'you')}.` : `You have not told me your ${thing} yet.`;
}

function deedOf({ known }: Shown, verb: string): string {
  const facts = [...known.values()].filter((fact) => fact.kind === 'does' && fact.verb.startsWith(verb.toLowerCase()));
  if (facts.length === 0) return 'You have not told me that yet.';
  return `You told me ${facts.map((fact) => tell(fact, 'you')).join(', and ')}.`;
}

function allOf({ known }: Shown): string {
  if (known.size === 0) return 'Nothing yet: you have not told me anything about yourself that I understood.';
  return `I remember that ${[...known.values()].map((fact) => tell(fact, 'you')).join('; ')}.`;
}

function countOf({ earlier, folded }: Shown): string {
  const before = folded > 0 ? `, and my notes stand for ${folded} older ones` : '';
  return `I see ${plural(earlier.length + 1, 'message')} of yours, this one included${before}.`;
}

function firstOf({ earlier, folded }: Shown): string {
  const [first] = earlier;
  if (first === undefined) return 'This is the first one that I see.';
  return folded > 0
    ? `The oldest that I still see in full is: "${quoted(first)}"`
    : `Your first message was: "${quoted(first)}"`;
}

function lastOf({ earlier }: Shown): string {
  const last = earlier.at(-1);
  return last === undefined ? 'This is the first message that I see.' : `Just before this you wrote: "${quoted(last)}"`;
}

function ownLastOf({ answered }: Shown): string {
  const words = answered.replace(PRACTICE_LABEL, '').trim();
  return words === '' ? 'I have not said anything yet.' : `I said: "${cut(words)}"`;
}

function greeting({ known, latest }: Shown): string {
  const name = nameIn(known);
  if (name) return `Hello again, ${name}.`;
  return sentencesOf(latest).length > 1 ? 'Hello!' : `Hello! ${WHO_I_AM}`;
}

function echo({ latest, known }: Shown): string {
  const name = nameIn(known);
  const words = latest.trim();
  const heard = words === '' ? 'You sent me nothing that I can read' : `You wrote: "${quoted(words)}"`;
  const opening = name ? `${name}, y${heard.slice(1)}` : heard;
  return `${opening}. I can repeat and remember, not think: write "help" to see what I understand, or configure a real model.`;
}

const NOTES_HEAD = 'Notes of the practice model:';

function notes(known: Knowledge, folded: number, last: string, longest: number): string {
  const facts = [...known.values()].map((fact) => `- ${tell(fact, 'they').replace(/^t/, 'T')}.`);
  const tail = [`- ${folded} of their messages are folded into these notes.`];
  if (last) tail.push(`- The last of those messages: "${cut(last)}"`);
  const write = () => [NOTES_HEAD, ...facts, ...tail].join('\n');
  while (facts.length > 0 && write().length > longest) {
    const oldest = facts.findIndex((fact) => !fact.startsWith('- Their name is '));
    facts.splice(Math.max(oldest, 0), 1);
  }
  return write();
}

function foldedIn(text: string): number {
  return Number(/^- (\d+) of their messages are folded/m.exec(text)?.[1] ?? 0);
}

/** As it was written: an answer is Markdown, where their stars would mean something else. */
function quoted(text: string): string {
  return cut(text).replace(/[\\*_~`]/g, '\\$&');
}

function cut(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

function plural(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}
