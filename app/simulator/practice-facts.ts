/** Facts that people state about themselves, as far as the practice model understands them: a few kinds of English sentences. */

export type Fact =
  /** "my name is Ana" */
  | { kind: 'has'; thing: string; value: string }
  /** "I live in Lisbon" */
  | { kind: 'does'; verb: string; value: string }
  /** "remember that the shop opens at nine" */
  | { kind: 'asked'; value: string };

/** Who speaks: the person about themselves, or notes about the person. */
export type Voice = 'person' | 'notes';

/** What is known, by subject: a later fact about the same subject takes the place of the earlier one. */
export type Knowledge = Map<string, Fact>;

/** Adds the facts of a text to the known ones; returns the new ones. Questions contain none. */
export function learn(known: Knowledge, text: string, voice: Voice): Fact[] {
  const facts = sentencesOf(text)
    .filter((sentence) => !isQuestion(sentence))
    .flatMap((sentence) => sentence.split(CLAUSES))
    .map((clause) => factIn(clause, voice))
    .filter((fact) => fact !== null);
  for (const fact of facts) {
    // Deleted first, so that the newest stands last.
    known.delete(subjectOf(fact));
    known.set(subjectOf(fact), fact);
  }
  return facts;
}

/** The fact as it is told to the person ("your name is Ana") or written down in notes ("their name is Ana"). */
export function tell(fact: Fact, to: 'you' | 'they'): string {
  if (fact.kind === 'has') return `${to === 'you' ? 'your' : 'their'} ${fact.thing} is ${fact.value}`;
  if (fact.kind === 'does') return `${to} ${fact.verb} ${fact.value}`;
  return `${to} asked me to remember: ${fact.value}`;
}

export function nameIn(known: Knowledge): string | undefined {
  const fact = known.get('name');
  return fact?.kind === 'has' ? fact.value : undefined;
}

/** The thing of "my …" as it is looked up: "Favorite Colour" and "favourite color" are the same. */
export function subjectOfThing(thing: string): string {
  return thing.toLowerCase().trim().replaceAll('favorite', 'favourite').replaceAll('color', 'colour');
}

export function sentencesOf(text: string): string[] {
  return text
    .split(/\n|(?<=[.!?])\s+/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '');
}

export function isQuestion(sentence: string): boolean {
  return (
    /\?\s*$/.test(sentence) ||
    /^(?:and |so |but )?(?:what|who|where|when|which|how|do|did|can|could|tell me)\b/i.test(sentence)
  );
}

/** "my name is Ana and I live in Lisbon" has two; "bread and butter" stays whole. */
const CLAUSES = /,?\s+(?:and|but)\s+(?=(?:i|i'm|my|their|they|remember|please)\b)/i;
const VERBS = 'live in|work as|work at|work for|work in|come from|like|love|prefer|speak|study|play';
/** Of these there is one at a time; one may like many things. */
const SINGLE = /^(?:live|work|come)\b/;

const SHAPES = {
  person: {
    has: /\bmy ([\p{L}][\p{L}\p{N}'’ -]{0,40}?) (?:is|are) (?:called )?(.+)/iu,
    does: new RegExp(`\\bi (?:now )?(${VERBS}) (.+)`, 'i'),
  },
  notes: {
    has: /^(?:- )?their ([\p{L}][\p{L}\p{N}'’ -]{0,40}?) is (.+)/iu,
    does: new RegExp(`^(?:- )?they (${VERBS}) (.+)`, 'i'),
  },
};

function factIn(clause: string, voice: Voice): Fact | null {
  const asked = askedIn(clause, voice);
  const told = asked ?? clause;
  const { has, does } = SHAPES[voice];
  const name = voice === 'person' ? introduction(told) : undefined;
  if (name) return { kind: 'has', thing: 'name', value: name };
  const thing = has.exec(told);
  if (thing?.[1] && thing[2]) return checked({ kind: 'has', thing: thing[1].trim(), value: thing[2] });
  const deed = does.exec(told.replace(/\b(?:i am|i'm|i’m) from\b/i, 'I come from'));
  if (deed?.[1] && deed[2]) return checked({ kind: 'does', verb: deed[1].toLowerCase(), value: deed[2] });
  return asked === null ? null : checked({ kind: 'asked', value: asked });
}

/** What a person wants to be remembered, or what the notes say they wanted. */
function askedIn(clause: string, voice: Voice): string | null {
  if (voice === 'notes') return /^(?:- )?they asked me to remember: (.+)/i.exec(clause)?.[1] ?? null;
  return /\b(?:remember|do not forget|don't forget|don’t forget)(?: that| this)?[: ]+(.+)/i.exec(clause)?.[1] ?? null;
}

/** "call me Ana", "I am called Ana", "hello, I'm Ana"; "I'm tired" and "I'm Italian" are no names. */
function introduction(clause: string): string | undefined {
  const told = /\b(?:my name is|my name's|my name’s|call me|i am called|i'm called|i’m called) (.+)/i.exec(clause)?.[1];
  if (told) return NAME.exec(told)?.[0];
  const said = /^(?:[\p{L} ]+[,!.] ?)?(?:[Ii] am|[Ii]['’]m|[Tt]his is) (\p{Lu}.*)/u.exec(clause)?.[1];
  const name = NAME.exec(said ?? '')?.[0];
  return name === cleaned(said ?? '') && !/(?:ese|ish|ian|can|man|ch)$/.test(name) ? name : undefined;
}

const NAME = /^[\p{L}'’-]+(?: \p{Lu}[\p{L}'’-]*){0,3}/u;

function checked<F extends Fact>(fact: F): F | null {
  const value = cleaned(fact.value);
  return value === '' ? null : { ...fact, value };
}

function cleaned(value: string): string {
  return value
    .slice(0, 200)
    .replace(/[\s.!,;:]+(?:please)?[\s.!,;:]*$/i, '')
    .trim();
}

function subjectOf(fact: Fact): string {
  if (fact.kind === 'has') return subjectOfThing(fact.thing);
  if (fact.kind === 'does')
    return SINGLE.test(fact.verb) ? `they ${fact.verb.split(' ')[0]}` : `they ${fact.verb} ${fact.value}`;
  return `asked ${fact.value}`;
}
