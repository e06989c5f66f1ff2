import { Button } from '@mantine/core';
import type { Conversation } from '../../inbox/contract.ts';
import classes from './SpamNote.module.css';
import { useThreadControl } from './useThreadControl.ts';
import { nameOf } from './words.ts';

/** Another responder, such as an assistant of Meta, answers in this conversation: the bot is silent. */
export function SharedNote({ conversation }: { conversation: Conversation }) {
  const { busy, control } = useThreadControl(conversation);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for what is filled in
    <div role="group" className={classes.note} aria-label={`Who answers ${nameOf(conversation)}`}>
      <p className={classes.words}>
        <strong>Another responder answers here.</strong> The bot is silent. A message that you send takes the
        conversation.
      </p>
      <span className={classes.actions}>
        <Button size="compact-xs" variant="default" loading={busy} onClick={() => void control('take')}>
          Take this conversation
        </Button>
      </span>
    </div>
  );
}
