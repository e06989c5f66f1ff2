import { ActionIcon, Text } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { Icon } from '../parts/Icon.tsx';
import { minutes } from '../parts/time.ts';
import classes from './Recorder.module.css';

interface RecorderProps {
  onCancel: () => void;
  onDone: (file: File) => void;
}

/** What WhatsApp sends first; browsers differ in what they can record. */
const TYPES = ['audio/ogg;codecs=opus', 'audio/webm;codecs=opus', 'audio/mp4'];

/** Records from the microphone until it is stopped. */
export function Recorder({ onCancel, onDone }: RecorderProps) {
  const [seconds, setSeconds] = useState(0);
  const [problem, setProblem] = useState<string | null>(null);
  const recorder = useRef<MediaRecorder>(null);
  const keep = useRef(false);
  const done = useRef(onDone);
  done.current = onDone;

  useEffect(() => {
    let gone = false;
    let stream: MediaStream | null = null;
    const began = Date.now();
    const timer = setInterval(() => setSeconds((Date.now() - began) / 1_000), 200);
    openMicrophone().then(
      (opened) => {
        stream = opened;
        if (gone) return stopAll(opened);
        recorder.current = record(opened, (file) => keep.current && done.current(file));
      },
      (error: Error) => setProblem(error.message),
    );
    return () => {
      gone = true;
      clearInterval(timer);
      if (recorder.current?.state === 'recording') recorder.current.stop();
      if (stream) stopAll(stream);
    };
  }, []);

  function finish(): void {
    keep.current = true;
    recorder.current?.stop();
  }

  return (
    <section className={classes.recorder} aria-label="Voice note">
      <ActionIcon variant="subtle" color="gray" size={40} radius="xl" aria-label="Throw it away" onClick={onCancel}>
        <Icon name="trash" size={22} />
      </ActionIcon>
      {problem === null ? (
        <span className={classes.running} role="timer">
          <i />
          {minutes(seconds)}
        </span>
      ) : (
        <Text size="sm" c="var(--wa-alarm)" role="alert">
          {problem}
        </Text>
      )}
      <ActionIcon variant="filled" size={44} radius="xl" aria-label="Done" disabled={problem !== null} onClick={finish}>
        <Icon name="send" size={22} />
      </ActionIcon>
    </section>
  );
}

async function openMicrophone(): Promise<MediaStream> {
  // Browsers keep the microphone from pages that do not come by https or from this machine.
  if (!navigator.mediaDevices)
    throw new Error('The browser gives the microphone to https and localhost only. Send a file instead.');
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch {
    throw new Error('There is no microphone, or it is not allowed. Send a file instead.');
  }
}

function record(stream: MediaStream, onFile: (file: File) => void): MediaRecorder {
  const type = TYPES.find((candidate) => MediaRecorder.isTypeSupported(candidate));
  const recorder = new MediaRecorder(stream, type ? { mimeType: type } : {});
  const chunks: Blob[] = [];
  recorder.addEventListener('dataavailable', ({ data }) => chunks.push(data));
  recorder.addEventListener('stop', () => {
    stopAll(stream);
    const recorded = recorder.mimeType.split(';', 1)[0] ?? 'audio/webm';
    onFile(new File(chunks, `voice.${recorded.split('/')[1]}`, { type: recorded }));
  });
  recorder.start();
  return recorder;
}

function stopAll(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
