import { Button, Group, Modal, NumberInput, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { Written } from '../../simulator/contract.ts';

interface LocationDialogProps {
  opened: boolean;
  onClose: () => void;
  onSend: (message: Pick<Written, 'text' | 'location'>) => void;
}

/** A location to share: invented, or that of this machine. */
export function LocationDialog({ opened, onClose, onSend }: LocationDialogProps) {
  const [latitude, setLatitude] = useState<number | string>(38.70775);
  const [longitude, setLongitude] = useState<number | string>(-9.13659);
  const [label, setLabel] = useState('Praça do Comércio');
  const [address, setAddress] = useState('1100-148 Lisboa');
  const [problem, setProblem] = useState('');
  const complete = typeof latitude === 'number' && typeof longitude === 'number';

  function here(): void {
    setProblem('');
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        setLatitude(coords.latitude);
        setLongitude(coords.longitude);
        setLabel('');
        setAddress('');
      },
      () => setProblem('The browser does not provide the location.'),
    );
  }
  function send(): void {
    if (complete) onSend({ text: '', location: { latitude, longitude, label, address } });
  }

  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="Share a place"
      centered
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Stack>
        <Group grow>
          <NumberInput label="Latitude" min={-90} max={90} decimalScale={6} value={latitude} onChange={setLatitude} />
          <NumberInput
            label="Longitude"
            min={-180}
            max={180}
            decimalScale={6}
            value={longitude}
            onChange={setLongitude}
          />
        </Group>
        <TextInput
          label="Name"
          maxLength={200}
          value={label}
          onChange={(event) => setLabel(event.currentTarget.value)}
        />
        <TextInput
          label="Address"
          maxLength={200}
          value={address}
          onChange={(event) => setAddress(event.currentTarget.value)}
        />
        {problem && (
          <Text size="sm" c="var(--wa-alarm)" role="alert">
            {problem}
          </Text>
        )}
        <Group justify="space-between">
          <Button variant="subtle" onClick={here}>
            Where I am
          </Button>
          <Button disabled={!complete} onClick={send}>
            Share
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
