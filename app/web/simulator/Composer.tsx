import { ActionIcon, CloseButton, FileButton, Menu, Textarea } from '@mantine/core';
import { type ClipboardEvent, type KeyboardEvent, useEffect, useRef, useState } from 'react';
import type { Written } from '../../simulator/contract.ts';
import { EmojiPicker } from '../parts/EmojiPicker.tsx';
import { Icon } from '../parts/Icon.tsx';
import { size } from '../parts/time.ts';
import { ButtonDialog } from './ButtonDialog.tsx';
import { CardDialog } from './CardDialog.tsx';
import classes from './Composer.module.css';
import { LocationDialog } from './LocationDialog.tsx';
import type { Picked } from './picked.ts';
import { Recorder } from './Recorder.tsx';

type Sendable = Omit<Written, 'contact' | 'profileName'>;

interface ComposerProps {
  /** Whether the number takes contact cards that are no files. */
  sharesCards: boolean;
  picked: readonly Picked[];
  onPick: (files: Iterable<File>) => void;
  onUnpick: (key?: string) => void;
  /** All resolve with false when it was not sent. */
  onSend: (message: Sendable) => Promise<boolean>;
  onSendPicked: (caption: string) => Promise<boolean>;
  onSendVoice: (file: File) => Promise<boolean>;
}

/** The longest text that WhatsApp lets a person write. */
const LONGEST = 4_096;

type Asking = 'location' | 'button' | 'card' | 'voice' | null;

/** Where the person writes. Enter sends, Shift+Enter begins a line. */
export function Composer({ sharesCards, picked, onPick, onUnpick, onSend, onSendPicked, onSendVoice }: ComposerProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState('');
  const [asking, setAsking] = useState<Asking>(null);
  const something = text.trim() !== '' || picked.length > 0;

  useEffect(() => {
    // On a phone the keyboard would cover what is to be read.
    if (matchMedia('(pointer: fine)').matches) field.current?.focus();
  }, []);

  async function send(): Promise<void> {
    if (!something) return;
    const words = text;
    setText('');
    const sent = picked.length > 0 ? await onSendPicked(words) : await onSend({ text: words });
    if (!sent) setText((typed) => typed || words);
    field.current?.focus();
  }
  function onKeyDown(event: KeyboardEvent): void {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void send();
  }
  function onPaste(event: ClipboardEvent): void {
    const files = [...event.clipboardData.files];
    if (files.length === 0) return;
    event.preventDefault();
    onPick(files);
  }
  function insert(emoji: string): void {
    const { selectionStart: from = text.length, selectionEnd: to = text.length } = field.current ?? {};
    setText(text.slice(0, from) + emoji + text.slice(to));
    field.current?.focus();
  }
  async function sendFrom(message: Sendable): Promise<void> {
    setAsking(null);
    await onSend(message);
  }

  if (asking === 'voice') {
    return (
      <footer className={classes.composer}>
        <Recorder
          onCancel={() => setAsking(null)}
          onDone={(file) => {
            setAsking(null);
            void onSendVoice(file);
          }}
        />
      </footer>
    );
  }
  return (
    <footer className={classes.composer}>
      {picked.length > 0 && <Tray picked={picked} onUnpick={onUnpick} />}
      <div className={classes.row}>
        <AttachMenu sharesCards={sharesCards} onPick={onPick} onAsk={setAsking} />
        <div className={classes.field}>
          <EmojiPicker onPick={insert} />
          <Textarea
            ref={field}
            className={classes.text}
            variant="unstyled"
            aria-label="Message to Recado"
            placeholder={picked.length > 0 ? 'Add a caption' : 'Message'}
            autosize
            minRows={1}
            maxRows={6}
            maxLength={LONGEST}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            onKeyDown={onKeyDown}
            onPaste={onPaste}
          />
        </div>
        {something ? (
          <ActionIcon variant="filled" size={44} radius="xl" aria-label="Send" onClick={() => void send()}>
            <Icon name="send" size={22} />
          </ActionIcon>
        ) : (
          <ActionIcon
            variant="filled"
            size={44}
            radius="xl"
            aria-label="Record a voice note"
            onClick={() => setAsking('voice')}
          >
            <Icon name="microphone" size={22} />
          </ActionIcon>
        )}
      </div>
      <LocationDialog opened={asking === 'location'} onClose={() => setAsking(null)} onSend={sendFrom} />
      <ButtonDialog opened={asking === 'button'} onClose={() => setAsking(null)} onSend={sendFrom} />
      <CardDialog opened={asking === 'card'} onClose={() => setAsking(null)} onSend={sendFrom} />
    </footer>
  );
}

interface AttachMenuProps {
  sharesCards: boolean;
  onPick: (files: File[]) => void;
  onAsk: (what: Asking) => void;
}

function AttachMenu({ sharesCards, onPick, onAsk }: AttachMenuProps) {
  // A browser says nothing when the file that it holds already is chosen again.
  const forgetFiles = useRef<() => void>(null);
  const forgetVoice = useRef<() => void>(null);
  function pick(files: File[]): void {
    onPick(files);
    forgetFiles.current?.();
    forgetVoice.current?.();
  }
  return (
    <FileButton multiple resetRef={forgetFiles} onChange={pick} accept="image/*,video/*,application/*,text/*">
      {({ onClick: pickFiles }) => (
        <FileButton resetRef={forgetVoice} onChange={(file) => file && pick([file])} accept="audio/*,.ogg,.oga,.opus">
          {({ onClick: pickVoice }) => (
            <Menu position="top-start" shadow="md" width={220}>
              <Menu.Target>
                <ActionIcon variant="subtle" color="gray" size={40} radius="xl" aria-label="Attach">
                  <Icon name="attach" size={24} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item leftSection={<Icon name="picture" />} onClick={pickFiles}>
                  Picture or file
                </Menu.Item>
                <Menu.Item leftSection={<Icon name="ear" />} onClick={pickVoice}>
                  Voice from a file
                </Menu.Item>
                <Menu.Item leftSection={<Icon name="location" />} onClick={() => onAsk('location')}>
                  Location
                </Menu.Item>
                {sharesCards && (
                  <Menu.Item leftSection={<Icon name="person" />} onClick={() => onAsk('card')}>
                    Contact
                  </Menu.Item>
                )}
                <Menu.Item leftSection={<Icon name="button" />} onClick={() => onAsk('button')}>
                  Quick reply
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          )}
        </FileButton>
      )}
    </FileButton>
  );
}

function Tray({ picked, onUnpick }: { picked: readonly Picked[]; onUnpick: (key: string) => void }) {
  return (
    <ul className={classes.tray} aria-label="To be sent">
      {picked.map(({ key, file, url }) => (
        <li key={key}>
          {file.type.startsWith('image/') ? (
            <img src={url} alt={file.name} />
          ) : (
            <span className={classes.named}>
              <Icon name={file.type.startsWith('audio/') ? 'microphone' : 'document'} />
              {file.name} · {size(file.size)}
            </span>
          )}
          <CloseButton
            className={classes.remove}
            size="sm"
            radius="xl"
            aria-label={`Leave out ${file.name}`}
            onClick={() => onUnpick(key)}
          />
        </li>
      ))}
    </ul>
  );
}
