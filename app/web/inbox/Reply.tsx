import { ActionIcon, Button, Checkbox, Menu, Text, Textarea, Tooltip } from '@mantine/core';
import { useDisclosure, useMergedRef, useSessionStorage } from '@mantine/hooks';
import { type KeyboardEvent, type Ref, useRef, useState } from 'react';
import type { Conversation } from '../../inbox/contract.ts';
import { EmojiPicker } from '../parts/EmojiPicker.tsx';
import { Icon } from '../parts/Icon.tsx';
import classes from './Reply.module.css';
import { TemplateDialog } from './TemplateDialog.tsx';
import { useNow } from './useNow.ts';
import { useWriting } from './useWriting.ts';
import { CANNED, until, whyNoTemplate } from './words.ts';

interface ReplyProps {
  conversation: Conversation;
  /** @param despiteOptOut they were warned that the contact wants no messages */
  onSend: (text: string, despiteOptOut: boolean) => void;
  ref: Ref<HTMLTextAreaElement>;
}

/** As much as the API takes. */
const LONGEST = 16_000;
const DRAFT = 'recado-draft ';
/** Mantine replaces `aria-describedby` unless its own attributes are off; its types know that of plain inputs alone. */
const DESCRIBED = { withAria: false, 'aria-describedby': 'window' };

/** Where a person answers: Ctrl+Enter sends. Outside the 24-hour window it says why the field is closed, and offers a template. */
export function Reply({ conversation, onSend, ref }: ReplyProps) {
  const own = useRef<HTMLTextAreaElement>(null);
  const field = useMergedRef(own, ref);
  // A draft stays until the conversation is opened again, or until sign-out.
  const [text, setText] = useSessionStorage({
    key: `${DRAFT}${conversation.phone_number} ${conversation.business_number}`,
    defaultValue: '',
    getInitialValueInEffect: false,
  });
  const { window_until, opted_out_at } = conversation;
  const [allTheSame, setAllTheSame] = useState(false);
  const { isWrittenElsewhere, tellWriting } = useWriting(conversation);
  const now = useNow([window_until]);
  const blocked = conversation.conversation_status === 'blocked';
  const inWindow = window_until !== null && Date.parse(window_until) > now && !blocked;
  const out = inWindow && opted_out_at !== null;
  const open = inWindow && (!out || allTheSame);
  const chooser = useRef<HTMLButtonElement>(null);
  const [choosing, dialog] = useDisclosure(false, { onClose: () => setTimeout(() => chooser.current?.focus()) });
  const refusal = whyNoTemplate(conversation);

  function send(): void {
    if (!open || text.trim() === '') return;
    onSend(text.trim(), out);
    setText('');
    setAllTheSame(false);
    own.current?.focus();
  }
  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === 'Escape') own.current?.blur();
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  }
  function insert(words: string): void {
    const { selectionStart: from = text.length, selectionEnd: to = text.length } = own.current ?? {};
    setText(text.slice(0, from) + words + text.slice(to));
    // The menu takes the focus back when it closes.
    setTimeout(() => own.current?.focus(), 50);
  }

  return (
    <footer className={classes.reply}>
      <div className={classes.state}>
        <Text size="xs" className={classes.window} data-open={open} id="window">
          {blocked && 'This contact is blocked. Move the conversation to the inbox to answer.'}
          {out &&
            'They want no more messages (STOP). They may get what they have to know, nothing else, until they write START.'}
          {!blocked && inWindow && !out && `You can reply until ${until(window_until, now)}.`}
          {!blocked &&
            !inWindow &&
            (refusal ??
              'More than 24 hours since their last message: WhatsApp only allows an approved template until they write again.')}
        </Text>
        {!inWindow && refusal === null && (
          <Button ref={chooser} size="xs" onClick={dialog.open}>
            Choose a template
          </Button>
        )}
      </div>
      {choosing && <TemplateDialog conversation={conversation} onClose={dialog.close} />}
      <Text size="xs" className={classes.writing} role="status">
        {isWrittenElsewhere && 'Somebody else is writing to this contact.'}
      </Text>
      {out && (
        <Checkbox
          size="xs"
          className={classes.despite}
          label="Send all the same"
          checked={allTheSame}
          onChange={(event) => setAllTheSame(event.currentTarget.checked)}
        />
      )}
      <div className={classes.line}>
        <Menu position="top-start" shadow="md" width={340} returnFocus={false}>
          <Menu.Target>
            <ActionIcon
              variant="subtle"
              color="gray"
              size={40}
              radius="xl"
              aria-label="Ready-made answers"
              disabled={!open}
            >
              <Icon name="text" size={22} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Label>Ready-made answers</Menu.Label>
            {CANNED.map((answer) => (
              <Menu.Item key={answer} onClick={() => insert(answer)}>
                {answer}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
        <div className={classes.field} data-disabled={!open}>
          {open && <EmojiPicker onPick={insert} />}
          <Textarea
            ref={field}
            className={classes.text}
            variant="unstyled"
            aria-label="Your answer"
            {...DESCRIBED}
            placeholder={
              open ? 'Write an answer' : out ? 'They want no messages' : "You can't reply until they write again"
            }
            autosize
            minRows={1}
            maxRows={8}
            maxLength={LONGEST}
            // Not disabled: it takes the focus, says why nobody can write here, and keeps letters from being keys of the page.
            readOnly={!open}
            value={text}
            onChange={(event) => {
              setText(event.currentTarget.value);
              tellWriting();
            }}
            onKeyDown={onKeyDown}
          />
        </div>
        <Tooltip label="Ctrl+Enter">
          <ActionIcon
            variant="filled"
            size={42}
            radius="xl"
            aria-label="Send"
            disabled={!open || text.trim() === ''}
            onClick={send}
          >
            <Icon name="send" size={20} />
          </ActionIcon>
        </Tooltip>
      </div>
    </footer>
  );
}
