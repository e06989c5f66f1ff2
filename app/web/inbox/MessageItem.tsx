import { UnstyledButton } from '@mantine/core';
import { type ReactNode, useRef, useState } from 'react';
import type { Media, Message } from '../../inbox/contract.ts';
import { Bubble } from '../parts/Bubble.tsx';
import { Gone } from '../parts/Gone.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Ticks } from '../parts/Ticks.tsx';
import { useSlot } from '../parts/useSlot.ts';
import { VoicePlayer } from '../parts/VoicePlayer.tsx';
import { WhatsAppText } from '../parts/WhatsAppText.tsx';
import { Analysis } from './Analysis.tsx';
import classes from './Thread.module.css';
import { useTemplateLabel } from './useTemplates.ts';

interface MessageItemProps {
  message: Message;
  /** What the contact is called. */
  name: string;
  first: boolean;
  /** Somebody came here for this one. */
  wanted: boolean;
}

/** One message with all that is known of it. */
export function MessageItem({ message, name, first, wanted }: MessageItemProps) {
  const { author, message_body: text, media, location, template, channel } = message;
  const mine = author !== 'contact';
  const label = useTemplateLabel(template, channel);
  const by = { contact: name, bot: 'Bot', desk: 'You', other: 'Another responder', template: label }[author];
  const picture = media.some(({ kind }) => kind === 'image');
  return (
    <Bubble
      mine={mine}
      by={by}
      at={Date.parse(message.received_at)}
      first={first}
      tight={picture || location !== null}
      room={text !== ''}
      beside={mine && <Delivery message={message} />}
      below={<Below message={message} />}
    >
      <span id={`message-${message.id}`} className={classes.anchor} data-wanted={wanted} />
      {mine && (first || author === 'template') && (
        <span className={classes.author} aria-hidden="true">
          {by}
        </span>
      )}
      <Context message={message} />
      {media.map((file) => (
        <File key={file.url} file={file} message={message} name={name} />
      ))}
      {location && <Place {...location} />}
      {text !== '' && (
        <div className={picture ? classes.caption : undefined}>
          <WhatsAppText text={text} />
        </div>
      )}
      {text === '' && media.length === 0 && !location && <em className={classes.quietBubble}>No text</em>}
    </Bubble>
  );
}

/** What stands around a message: where it comes from, what it answers. */
function Context({ message: { referral, forwarded, in_reply_to } }: { message: Message }): ReactNode {
  const ad = referral && [referral.headline, referral.body].filter(Boolean).join(': ');
  return (
    <>
      {referral && (
        <small className={classes.context} dir="auto">
          Came from an ad{ad && `: ${ad}`}
        </small>
      )}
      {forwarded && <small className={classes.context}>Forwarded</small>}
      {in_reply_to && (
        <blockquote className={classes.quote} dir="auto">
          {in_reply_to.words ?? 'An earlier message'}
        </blockquote>
      )}
    </>
  );
}

function Delivery({ message: { delivery_status } }: { message: Message }): ReactNode {
  switch (delivery_status) {
    case 'failed':
      return <Icon name="alarm" size={13} />;
    case 'delivered':
    case 'read':
    case 'sent':
      return <Ticks state={delivery_status} />;
    default:
      return <Icon name="clock" size={12} />;
  }
}

function Below({ message }: { message: Message }): ReactNode {
  const { delivery_error, failure } = message;
  return (
    <>
      {delivery_error && <div className={classes.trouble}>Not delivered: {delivery_error}</div>}
      {failure && <div className={classes.trouble}>Not answered as usual: {failure}</div>}
      <Analysis message={message} />
    </>
  );
}

function File({ file: { kind, url, content_type }, message, name }: { file: Media; message: Message; name: string }) {
  if (kind === 'image') return <Picture url={url} name={name} />;
  if (kind === 'audio') return <Voice url={url} message={message} name={name} />;
  return <Download url={url} name={FILES[kind]} contentType={content_type} />;
}

/** A file that is saved. What the provider no longer has is said in words. */
function Download({ url, name, contentType }: { url: string; name: string; contentType: string }) {
  const [state, setState] = useState<'ready' | 'fetching' | 'gone'>('ready');
  async function save(): Promise<void> {
    setState('fetching');
    const link = document.createElement('a');
    try {
      const response = await fetch(url);
      if (!response.ok) return setState('gone');
      link.download = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1] ?? name;
      link.href = URL.createObjectURL(await response.blob());
      link.click();
      URL.revokeObjectURL(link.href);
      setState('ready');
    } catch {
      setState('gone');
    }
  }
  return (
    <UnstyledButton className={classes.file} onClick={() => void save()}>
      <Icon name="document" size={26} />
      <span>
        <strong>{name}</strong>
        <small role="status">
          {state === 'gone'
            ? 'This file cannot be opened: the provider no longer has it, or cannot be reached. Press to try again.'
            : `${contentType} · ${state === 'fetching' ? 'downloading…' : 'download'}`}
        </small>
      </span>
    </UnstyledButton>
  );
}

const FILES = { video: 'Video', 'contact-card': 'Contact card', document: 'Document' } as const;

function Picture({ url, name }: { url: string; name: string }) {
  const [gone, setGone] = useState(false);
  const [loaded, setLoaded] = useState(false);
  const place = useRef<HTMLAnchorElement>(null);
  const { isFree, done } = useSlot(place);
  if (gone) {
    return (
      <Gone icon="picture">This picture cannot be shown: the provider no longer has it, or cannot be reached.</Gone>
    );
  }
  return (
    <a
      ref={place}
      href={url}
      target="_blank"
      rel="noopener noreferrer"
      className={classes.pictureLink}
      data-loaded={loaded}
      aria-label={`Picture from ${name}`}
    >
      {isFree && (
        <img
          className={classes.picture}
          src={url}
          alt={`Sent by ${name}`}
          onLoad={() => {
            done();
            setLoaded(true);
          }}
          onError={() => {
            done();
            setGone(true);
          }}
        />
      )}
    </a>
  );
}

function Voice({ url, message, name }: { url: string; message: Message; name: string }) {
  const { transcription, transcription_status } = message;
  return (
    <>
      <VoicePlayer src={url} label={`voice note from ${name}`} />
      {transcription && (
        <p className={classes.transcript}>
          <small>Transcript</small>
          <span dir="auto">{transcription}</span>
        </p>
      )}
      {!transcription && (
        <p className={classes.transcript} data-missing="true">
          {transcription_status === 'failed' ? 'What was said could not be written down.' : 'Being written down…'}
        </p>
      )}
    </>
  );
}

function Place({ latitude, longitude, label, address }: NonNullable<Message['location']>) {
  const map = `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=15/${latitude}/${longitude}`;
  return (
    <a className={classes.file} href={map} target="_blank" rel="noopener noreferrer">
      <Icon name="location" size={28} />
      <span>
        <strong>{label || 'Location'}</strong>
        {address && <span className={classes.address}>{address}</span>}
        <small>
          {latitude.toFixed(5)}, {longitude.toFixed(5)}
        </small>
      </span>
    </a>
  );
}
