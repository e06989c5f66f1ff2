import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import type { Asked } from '../../inbox/contract.ts';
import { Refused, sendTemplate } from './api.ts';
import { newKey } from './useOutbox.ts';
import { problemOf } from './words.ts';

type Filled = Omit<Asked<'sendTemplate'>, 'idempotency_key'>;

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
  /** What nobody answered to, and the name that it has. */
  const unanswered = useRef<{ what: string; key: string } | null>(null);

  async function send(filled: Filled): Promise<boolean> {
    setBusy(true);
    setProblem(null);
    const what = JSON.stringify(filled);
    // A new name each time: under the old one, the archive may have it as failed. What may have been sent keeps its name, and is in the
    // conversation once.
    const key = unanswered.current?.what === what ? unanswered.current.key : newKey();
    unanswered.current = null;
    try {
      await sendTemplate({ ...filled, idempotency_key: key });
      return true;
    } catch (error) {
      const status = error instanceof Refused ? error.status : 0;
      if (status === 0) unanswered.current = { what, key };
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
