/** What a model may tell about messages, as it would answer. */

export const JOHN_SMITH =
  'Hi! I need to schedule a meeting with John Smith from ABC Corp next Tuesday to discuss the proposal. This is urgent.';

export function taskOf() {
  return {
    title: 'Call back',
    description: 'They want to be called.',
    type: 'call',
    priority: 3,
    message: 1,
    due: null as { words: string; date: string | null } | null,
  };
}

/** @returns the answer as JSON. */
export function analysisOf(overrides: object): string {
  return JSON.stringify({
    summary: 'They wrote something.',
    sentiment: 'neutral',
    entities: { people: [], companies: [], dates: [], amounts: [], products: [] },
    intent: 'other',
    language: 'en',
    task: null,
    ...overrides,
  });
}

/** For the message above. The date is left to us, the priority to the rule for what is urgent. */
export const JOHN_SMITH_ANALYSIS = {
  summary: 'Request to schedule an urgent meeting about the proposal.',
  sentiment: 'urgent',
  entities: {
    people: ['John Smith'],
    companies: ['ABC Corp'],
    dates: ['next Tuesday'],
    amounts: [],
    products: [],
  },
  intent: 'scheduling',
  language: 'en',
  task: {
    title: 'Schedule a meeting with John Smith',
    description: 'Find a time next Tuesday to discuss the proposal with John Smith of ABC Corp.',
    type: 'meeting',
    priority: 3,
    message: 1,
    due: { words: 'next Tuesday', date: null },
  },
};
