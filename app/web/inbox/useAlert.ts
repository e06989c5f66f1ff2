import { useLocalStorage } from '@mantine/hooks';
import { useCallback, useState } from 'react';

export interface Alert {
  /** The browser has notifications, and this page may have them: they need https. */
  canBeAsked: boolean;
  isOn: boolean;
  /** Somebody said no to the browser. */
  isRefused: boolean;
  /** Asks the browser for permission when it has not been asked. */
  set(on: boolean): Promise<void>;
  /** Shows a notification and makes a sound, when that is switched on. */
  tell(title: string, body: string): void;
}

/** Whether somebody wants to be told, in this browser. */
export function useAlert(): Alert {
  const canBeAsked = 'Notification' in window && window.isSecureContext;
  const [wanted, setWanted] = useLocalStorage({
    key: 'recado-alert',
    defaultValue: false,
    getInitialValueInEffect: false,
  });
  const [permission, setPermission] = useState(canBeAsked ? Notification.permission : 'denied');
  const isOn = canBeAsked && wanted && permission === 'granted';
  const tell = useCallback(
    (title: string, body: string) => {
      if (!wanted || !canBeAsked || Notification.permission !== 'granted') return;
      ring();
      try {
        const notification = new Notification(title, { body, tag: title });
        notification.addEventListener('click', () => window.focus());
      } catch {
        // Chrome on Android has the permission, but notifications of service workers alone.
      }
    },
    [wanted, canBeAsked],
  );
  return {
    canBeAsked,
    isOn,
    isRefused: permission === 'denied',
    async set(on) {
      if (on) setPermission(await Notification.requestPermission());
      setWanted(on);
      if (on) ring();
    },
    tell,
  };
}

/** Two short tones. A browser that was not clicked in yet makes no sound. */
function ring(): void {
  const audio = new AudioContext();
  const volume = audio.createGain();
  volume.gain.value = 0.08;
  volume.connect(audio.destination);
  for (const [at, hertz] of [
    [0, 660],
    [0.18, 880],
  ] as const) {
    const tone = audio.createOscillator();
    tone.frequency.value = hertz;
    tone.connect(volume);
    tone.start(audio.currentTime + at);
    tone.stop(audio.currentTime + at + 0.14);
  }
  setTimeout(() => void audio.close(), 1_000);
}
