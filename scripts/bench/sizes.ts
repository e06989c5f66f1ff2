/** How much is done. */

/** What is done with the bot alone. */
export interface Sizes {
  /** How often floor and bot take turns in each scenario, beside the slow one. */
  rounds: number;
  /** How many people write at once in the first scenarios. */
  concurrent: number;
  /** Messages of one person in a round. */
  turns: number;
  /** How many people, one after the other, write on a connection in a round of the first scenario. */
  peoplePerConnection: number;
  /** How many messages a person has written before the "long histories" begin; 30 and each has been rolled. */
  earlier: number;
  /** The slow model: rounds, people, messages of each, how long it thinks (ms). */
  slow: { rounds: number; people: number; turns: number; delayMs: number };
  /** How many messages the long conversation has. */
  conversation: number;
}

/** What is done with each set-up. */
export interface SetupSizes {
  /** How often everything is measured. */
  rounds: number;
  /** Conversations at a time, people one after the other on each connection, messages of each. */
  busy: { concurrent: number; peoplePerConnection: number; turns: number };
  slow: { people: number; turns: number; delayMs: number };
  /** How long after it is ready its memory is looked at, ms. */
  idleMs: number;
  /** How many people wait when it is killed, and how long the model takes then, ms. */
  crash: { people: number; delayMs: number };
}

export const SIZES: Sizes = {
  rounds: 5,
  concurrent: 64,
  turns: 10,
  peoplePerConnection: 20,
  earlier: 30,
  slow: { rounds: 3, people: 500, turns: 7, delayMs: 1_000 },
  conversation: 1_000,
};

export const QUICK_SIZES: Sizes = {
  ...SIZES,
  rounds: 2,
  peoplePerConnection: 10,
  slow: { rounds: 1, people: 500, turns: 4, delayMs: 1_000 },
  conversation: 200,
};

export const SETUP_SIZES: SetupSizes = {
  rounds: 3,
  busy: { concurrent: 64, peoplePerConnection: 4, turns: 5 },
  slow: { people: 500, turns: 3, delayMs: 1_000 },
  idleMs: 4_000,
  crash: { people: 50, delayMs: 1_000 },
};

export const QUICK_SETUP_SIZES: SetupSizes = {
  ...SETUP_SIZES,
  rounds: 1,
  slow: { people: 500, turns: 2, delayMs: 1_000 },
};
