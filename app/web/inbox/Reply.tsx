import { ActionIcon, Menu, Text, Textarea, Tooltip } from '@mantine/core';
import { useMergedRef, useSessionStorage } from '@mantine/hooks';
import { type KeyboardEvent, type Ref, useRef } from 'react';
import type { Conversation } from '../../inbox/contract.ts';
import { EmojiPicker } from '../parts/EmojiPicker.tsx';
import { Icon } from '../parts/Icon.tsx';
import classes from './Reply.module.css';
import { useNow } from './useNow.ts';
import { useWriting } from './useWriting.ts';
import { CANNED, until } from './words.ts';

interface ReplyProps {
  conversation: Conversation;
  onSend: (text: string) => void;
  ref: Ref<HTMLTextAreaElement>;
}

/** As much as the API takes. */
const LONGEST = 16_000;
const DRAFT = 'recado-draft ';
/** Mantine replaces `aria-describedby` unless its own attributes are off; its types know that of plain inputs alone. */
const DESCRIBED = { withAria: false, 'aria-describedby': 'window' };

/** Where a person answers: Ctrl+Enter sends. Outside the 24-hour window it says why the field is closed. */
export function Reply({ conversation, onSend, ref }: ReplyProps) {
  const own = useRef<HTMLTextAreaElement>(null);
  const field = useMergedRef(own, ref);
  // A draft stays until the conversation is opened again, or until sign-out.
  const [text, setText] = useSessionStorage({
    key: `${DRAFT}${conversation.phone_number} ${conversation.business_number}`,
    defaultValue: '',
    getInitialValueInEffect: false,
  });
  const { window_until } = conversation;
  const { isWrittenElsewhere, tellWriting } = useWriting(conversation);
  const now = useNow([window_until]);
  const blocked = conversation.conversation_status === 'blocked';
  const open = window_until !== null && Date.parse(window_until) > now && !blocked;

  function send(): void {
    if (!open || text.trim() === '') return;
    onSend(text.trim());
    setText('');
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
      <Text size="xs" className={classes.window} data-open={open} id="window">
        {blocked && 'This contact is blocked. Move the conversation to the inbox to answer.'}
        {!blocked && open && `You can reply until ${until(window_until, now)}.`}
        {!blocked &&
          !open &&
          'More than 24 hours since their last message: WhatsApp only allows an approved template until they write again.'}
      </Text>
      <Text size="xs" className={classes.writing} role="status">
        {isWrittenElsewhere && 'Somebody else is writing to this contact.'}
      </Text>
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
            placeholder={open ? 'Write an answer' : "You can't reply until they write again"}
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
