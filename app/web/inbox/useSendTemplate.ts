import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import type { Asked } from '../../inbox/contract.ts';
import { Refused, sendTemplate } from './api.ts';
import { newKey } from './useOutbox.ts';
import { problemOf } from './words.ts';

export type Filled = Omit<Asked<'sendTemplate'>, 'idempotency_key'>;

/** Why it was not sent, or may not have been. */
export interface SendingProblem {
  title: string;
  text: string;
}

export interface SendingTemplate {
  busy: boolean;
  problem: SendingProblem | null;
  /** @returns whether it was sent */
  send: (filled: Filled) => Promise<boolean>;
  /** The problem is no longer about what is shown. */
  forget: () => void;
}

const ADVICE = 'Look at the conversation before you try again.';

/** Sends a template and tells what became of it. */
export function useSendTemplate(): SendingTemplate {
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<SendingProblem | null>(null);
  const key = useRef('');

  async function send(filled: Filled): Promise<boolean> {
    setBusy(true);
    setProblem(null);
    // A new name each time: under the old one, the archive may have it as failed.
    key.current ||= newKey();
    try {
      await sendTemplate({ ...filled, idempotency_key: key.current });
      key.current = '';
      return true;
    } catch (error) {
      const status = error instanceof Refused ? error.status : 0;
      // When nobody answered, it may have been sent: then it keeps its name, and is in the conversation once.
      if (status !== 0) key.current = '';
      const isRefused = status >= 400 && status < 500;
      setProblem({
        title: isRefused ? 'It was not sent' : 'It may not have been sent',
        text: isRefused ? problemOf(error) : `${problemOf(error)} ${ADVICE}`,
      });
      return false;
    } finally {
      // The conversation shows what the provider refused, too.
      void Promise.all(['thread', 'conversations'].map((name) => queries.invalidateQueries({ queryKey: [name] })));
      setBusy(false);
    }
  }
  return { busy, problem, send, forget: () => setProblem(null) };
}
