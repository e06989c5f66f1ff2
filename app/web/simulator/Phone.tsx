import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { type DragEvent, useState } from 'react';
import type { Provider, SimulatedPerson, Written } from '../../simulator/contract.ts';
import { BotAvatar } from '../parts/Avatar.tsx';
import { Icon } from '../parts/Icon.tsx';
import { clock } from '../parts/time.ts';
import * as api from './api.ts';
import { Composer } from './Composer.tsx';
import { Conversation } from './Conversation.tsx';
import classes from './Phone.module.css';
import type { PhoneState } from './phones.ts';
import type { Picked } from './picked.ts';
import { shownContact } from './usePeople.ts';
import type { Connection } from './usePhones.ts';
import { useTimer } from './useTimer.ts';

interface PhoneProps {
  person: SimulatedPerson;
  /** Whose number they write to. */
  provider: Provider;
  phone: PhoneState;
  business: string;
  connection: Connection;
}

/** WhatsApp's own limit. */
const MOST_PICKED = 10;

/** What the person holds: their conversation with the bot. */
export function Phone({ person, provider, phone, business, connection }: PhoneProps) {
  const [picked, setPicked] = useState<Picked[]>([]);
  const [dragging, setDragging] = useState(false);
  const typing = useTyping(phone);

  function pick(files: Iterable<File>): void {
    const next = [...files].map((file) => ({ key: crypto.randomUUID(), file, url: URL.createObjectURL(file) }));
    setPicked((before) => [...before, ...next].slice(0, MOST_PICKED));
  }
  function unpick(key?: string): void {
    for (const one of picked) if (key === undefined || one.key === key) URL.revokeObjectURL(one.url);
    setPicked((before) => (key === undefined ? [] : before.filter((one) => one.key !== key)));
  }
  const sender = { ...person, to: provider };
  async function send(message: Omit<Written, 'contact' | 'profileName'>): Promise<boolean> {
    return tried(api.write({ ...sender, ...message }));
  }
  /** Every file is a message of its own, as on WhatsApp; the first has the caption. */
  function sendFiles(files: readonly File[], caption: string): Promise<boolean> {
    const uploads = Promise.all(files.map(api.upload));
    const messages = uploads.then((all) => all.map((media, i) => ({ ...sender, text: i === 0 ? caption : '', media })));
    return tried(messages.then((all) => Promise.all(all.map(api.write))));
  }
  async function sendPicked(caption: string): Promise<boolean> {
    const sent = await sendFiles(
      picked.map(({ file }) => file),
      caption,
    );
    if (sent) unpick();
    return sent;
  }
  function drop(event: DragEvent): void {
    event.preventDefault();
    setDragging(false);
    pick(event.dataTransfer.files);
  }

  return (
    <section className={classes.phone} aria-label={`The phone of ${person.profileName}`}>
      <div className={classes.status} aria-hidden="true">
        <Clock />
        <span className={classes.camera} />
        <span className={classes.signals}>
          <i />
          <i />
          <i />
          <b />
        </span>
      </div>
      <header className={classes.header}>
        <BotAvatar />
        <div className={classes.title}>
          <h2>Recado</h2>
          <p aria-live="polite">{subtitle(connection, typing, business)}</p>
        </div>
      </header>
      {phone.others && <OtherResponder contact={person.contact} />}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is one more way beside the buttons below */}
      <div
        className={classes.screen}
        onDragOver={(event) => {
          event.preventDefault();
          setDragging(true);
        }}
        onDragLeave={() => setDragging(false)}
        onDrop={drop}
      >
        <Conversation
          phone={phone}
          person={person}
          typing={typing}
          onSay={(text) => void send({ text })}
          onChange={provider === 'meta' ? (text, about) => void send({ text, about }) : undefined}
        />
        {dragging && (
          <div className={classes.drop}>
            <Icon name="picture" size={36} />
            Let go to attach it
          </div>
        )}
      </div>
      <Composer
        sharesCards={provider === 'meta'}
        picked={picked}
        onPick={pick}
        onUnpick={unpick}
        onSend={send}
        onSendPicked={sendPicked}
        onSendVoice={(file) => sendFiles([file], '')}
      />
    </section>
  );
}

/** Somebody else than the bot answers: it reads along, and is silent. */
function OtherResponder({ contact }: { contact: string }) {
  return (
    <div className={classes.others} role="status">
      <p>Another responder answers here. The bot reads along.</p>
      <Button size="compact-xs" variant="default" onClick={() => void tried(api.route({ contact, other: false }))}>
        Pass to the bot
      </Button>
    </div>
  );
}

/** Shows a message when an action failed. */
async function tried(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    notifications.show({
      color: 'red',
      title: 'Not sent',
      message: error instanceof Error ? error.message : String(error),
    });
    return false;
  }
}

/** "typing…" disappears when no answer comes. https://www.twilio.com/docs/whatsapp/api/typing-indicators-resource */
const TYPING_MS = 25_000;

function useTyping({ typingSince }: PhoneState): boolean {
  const [now, setNow] = useState(Date.now);
  const left = typingSince === null ? 0 : typingSince + TYPING_MS - now;
  useTimer(left > 0, Math.max(left, 0) + 50, () => setNow(Date.now()));
  return typingSince !== null && typingSince + TYPING_MS > now;
}

function subtitle(connection: Connection, typing: boolean, business: string): string {
  if (connection === 'lost') return 'Connection lost, reconnecting…';
  if (typing) return 'typing…';
  return business ? shownContact(business) : '';
}

function Clock() {
  const [now, setNow] = useState(Date.now);
  useTimer(true, 60_000 - (now % 60_000), () => setNow(Date.now()));
  return <span className={classes.clock}>{clock(now)}</span>;
}
