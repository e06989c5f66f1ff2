/** What the analysis needs of the archive. */
import type { Scrubbed } from '../privacy/scrub.ts';
import type { Burst, NewTask } from './analyze.ts';
import type { Analysis } from './schema.ts';

/** The messages of one turn, taken on for analysis. */
export interface TakenOn extends Burst {
  /** The turn that answered them. */
  turn: string;
}

/** Rejects with `archive.unavailable` when the archive cannot be asked just now. Every method may be called twice. */
export interface AnalysisStore {
  /** Turns with messages that still wait, or that somebody took on long ago and never finished; oldest first. */
  waiting(limit: number): Promise<string[]>;
  /** Takes a turn's messages on: they are processing now. Null when there is nothing left to do. */
  begin(turn: string): Promise<TakenOn | null>;
  /** Writes what was found to all messages of the turn, and the task with its link to one of them, together or not at all. */
  complete(burst: TakenOn, analysis: Analysis, task: NewTask | null): Promise<void>;
  /** There was nothing to analyze. */
  skip(burst: TakenOn): Promise<void>;
  /** Puts the messages back to wait, with the reason why it did not work this time. */
  release(turn: string, reason: Scrubbed): Promise<void>;
  /** Gives up on them, with the reason that the desk reads. */
  fail(turn: string, reason: Scrubbed): Promise<void>;
}
