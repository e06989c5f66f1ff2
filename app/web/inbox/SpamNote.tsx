import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Conversation } from '../../inbox/contract.ts';
import { notSpam } from './api.ts';
import classes from './SpamNote.module.css';
import { useNow } from './useNow.ts';
import { useStatus } from './useStatus.tsx';
import { nameOf, problemOf, until } from './words.ts';

interface SpamNoteProps {
  conversation: Conversation;
  spam: NonNullable<Conversation['spam']>;
}

/** What a contact writes looks like spam: why, whether the bot still answers, and what the team can do about it. */
export function SpamNote({ conversation, spam }: SpamNoteProps) {
  const { phone_number, business_number } = conversation;
  const [busy, setBusy] = useState(false);
  const queries = useQueryClient();
  const setStatus = useStatus();
  const now = useNow([spam.throttled_until], 60_000);
  const who = nameOf(conversation);
  const isPaused = spam.throttled_until !== null && Date.parse(spam.throttled_until) > now;

  async function excuse(): Promise<void> {
    setBusy(true);
    try {
      await notSpam({ phone_number, business_number });
      const message = `${who}: not spam. The bot answers them, and you are not asked again for 30 days.`;
      notifications.show({ message, closeButtonProps: { 'aria-label': 'Close' } });
    } catch (error) {
      notifications.show({ color: 'red', title: 'The action failed', message: problemOf(error) });
    }
    void Promise.all(['thread', 'conversations'].map((key) => queries.invalidateQueries({ queryKey: [key] })));
    setBusy(false);
  }

  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for what is filled in
    <div role="group" className={classes.note} aria-label={`Spam from ${who}?`}>
      <p className={classes.words}>
        <strong>Looks like spam</strong>, {spam.score} of 100: {spam.reasons.join('; ')}.
        {isPaused && ` The bot does not answer until ${until(spam.throttled_until, now)}.`}
      </p>
      <span className={classes.actions}>
        <Button
          size="compact-xs"
          color="red.9"
          aria-label={`Block ${who}`}
          onClick={() => void setStatus(conversation, 'blocked')}
        >
          Block
        </Button>
        <Button
          size="compact-xs"
          variant="default"
          aria-label={`Not spam: ${who}`}
          loading={busy}
          onClick={() => void excuse()}
        >
          Not spam
        </Button>
      </span>
    </div>
  );
}
