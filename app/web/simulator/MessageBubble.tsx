import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useState } from 'react';
import type { MediaFile, Written } from '../../simulator/contract.ts';
import { Bubble } from '../parts/Bubble.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Ticks } from '../parts/Ticks.tsx';
import { size } from '../parts/time.ts';
import { VoicePlayer } from '../parts/VoicePlayer.tsx';
import { WhatsAppText } from '../parts/WhatsAppText.tsx';
import * as api from './api.ts';
import classes from './MessageBubble.module.css';
import { type Change, MessageMenu } from './MessageMenu.tsx';
import type { Message } from './phones.ts';

interface MessageBubbleProps {
  message: Message;
  first: boolean;
  onChange: Change | undefined;
}

export function MessageBubble({ message, first, onChange }: MessageBubbleProps) {
  const { mine, at, text, written, ticks, trouble, change, reaction } = message;
  const revoked = change === 'revoked';
  const picture = written?.media?.contentType.startsWith('image/') ?? false;
  return (
    <Bubble
      mine={mine}
      by={mine ? 'You' : 'Recado'}
      at={at}
      first={first}
      tight={picture || written?.location !== undefined}
      room={text !== '' && change === null}
      beside={mine && (trouble === null ? <Ticks state={ticks} /> : <Icon name="alarm" size={13} />)}
      below={
        <>
          {reaction !== '' && (
            <span className={classes.reaction} role="img" aria-label={`Your reaction: ${reaction}`}>
              {reaction}
            </span>
          )}
          {trouble !== null && <Trouble message={message} trouble={trouble} />}
        </>
      }
      menu={onChange && !revoked && <MessageMenu message={message} onChange={onChange} />}
    >
      {revoked && <em className={classes.revoked}>You deleted this message</em>}
      {written?.media && <Media file={written.media} />}
      {written?.location && <Place {...written.location} />}
      {written?.card && (
        <span className={classes.card}>
          <Icon name="person" size={26} />
          <span>
            <strong>{written.card.name}</strong>
            <small>{written.card.phone}</small>
          </span>
        </span>
      )}
      {written?.button && (
        <span className={classes.pressed}>
          <Icon name="button" size={14} /> pressed
        </span>
      )}
      {text !== '' && (
        <div className={picture ? classes.caption : undefined}>
          <LongText text={text} />
        </div>
      )}
      {change === 'edited' && <small className={classes.edited}>edited</small>}
    </Bubble>
  );
}

/** Longer texts are folded, as on a phone, UTF-16 units. */
const FOLDED = 1_700;
const SHOWN = 900;

function LongText({ text }: { text: string }) {
  const [open, setOpen] = useState(false);
  if (open || text.length <= FOLDED) return <WhatsAppText text={text} />;
  return (
    <>
      <WhatsAppText text={`${text.slice(0, SHOWN)}…`} />
      <button type="button" className={classes.more} onClick={() => setOpen(true)}>
        Read more
      </button>
    </>
  );
}

function Media({ file }: { file: MediaFile }) {
  const url = api.mediaUrl(file.id);
  const kind = file.contentType.split('/', 1)[0];
  if (kind === 'image') return <img className={classes.picture} src={url} alt={file.name || 'A picture'} />;
  if (kind === 'audio') return <VoicePlayer src={url} label={file.name || 'voice note'} />;
  return (
    <a className={classes.file} href={url} download={file.name || 'file'}>
      <Icon name="document" size={26} />
      <span>
        <strong>{file.name || 'File'}</strong>
        <small>
          {file.contentType} · {size(file.size)}
        </small>
      </span>
    </a>
  );
}

function Place({ latitude, longitude, label, address }: NonNullable<Written['location']>) {
  const map = `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=15/${latitude}/${longitude}`;
  return (
    <a className={classes.place} href={map} target="_blank" rel="noopener noreferrer">
      <span className={classes.map}>
        <Icon name="location" size={34} />
      </span>
      <span className={classes.address}>
        <strong>{label || 'Location'}</strong>
        {address && <span>{address}</span>}
        <small>
          {latitude.toFixed(5)}, {longitude.toFixed(5)}
        </small>
      </span>
    </a>
  );
}

function Trouble({ message: { sid }, trouble }: { message: Message; trouble: string }) {
  const again = () =>
    api.repeat(sid).catch((error: Error) => notifications.show({ color: 'red', message: error.message }));
  return (
    <div className={classes.trouble} role="alert">
      {trouble}
      <Button variant="subtle" color="red" size="compact-xs" onClick={again}>
        Deliver it again
      </Button>
    </div>
  );
}
