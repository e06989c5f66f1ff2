import { ActionIcon, Slider } from '@mantine/core';
import { useRef, useState } from 'react';
import { Gone } from './Gone.tsx';
import { Icon } from './Icon.tsx';
import { minutes } from './time.ts';
import { useSlot } from './useSlot.ts';
import classes from './VoicePlayer.module.css';

/** Plays a voice note. */
export function VoicePlayer({ src, label }: { src: string; label: string }) {
  const audio = useRef<HTMLAudioElement>(null);
  const [playing, setPlaying] = useState(false);
  const [at, setAt] = useState(0);
  const [length, setLength] = useState(0);
  const [gone, setGone] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const { isFree, done } = useSlot(place);

  function measure(): void {
    done();
    const seconds = audio.current?.duration ?? 0;
    // A browser's own recordings do not say how long they are until they were played to their end.
    if (Number.isFinite(seconds)) setLength(seconds);
  }
  function toggle(): void {
    const player = audio.current;
    if (!player) return;
    if (playing) player.pause();
    else void player.play().catch(() => setPlaying(false));
  }

  if (gone) {
    return (
      <Gone icon="microphone">
        This voice note cannot be played: the provider no longer has it, or cannot be reached.
      </Gone>
    );
  }
  return (
    <div ref={place} className={classes.player}>
      {/* biome-ignore lint/a11y/useMediaCaption: there is no transcript to show here */}
      <audio
        ref={audio}
        src={src}
        preload={isFree ? 'metadata' : 'none'}
        onLoadedMetadata={measure}
        onDurationChange={measure}
        onTimeUpdate={() => setAt(audio.current?.currentTime ?? 0)}
        onPlay={() => setPlaying(true)}
        onPause={() => setPlaying(false)}
        onEnded={() => setAt(0)}
        onError={() => {
          done();
          setGone(true);
        }}
      />
      <ActionIcon
        variant="filled"
        radius="xl"
        size={38}
        onClick={toggle}
        aria-label={playing ? `Pause ${label}` : `Play ${label}`}
      >
        <Icon name={playing ? 'pause' : 'play'} size={18} />
      </ActionIcon>
      <Slider
        className={classes.slider}
        size={3}
        thumbSize={11}
        label={null}
        thumbLabel={`Place in ${label}`}
        min={0}
        max={length || 1}
        step={0.01}
        value={Math.min(at, length || 1)}
        onChange={(seconds) => {
          if (audio.current && length > 0) audio.current.currentTime = seconds;
        }}
      />
      <span className={classes.time}>{minutes(at > 0 ? at : length)}</span>
    </div>
  );
}
