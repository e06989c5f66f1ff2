import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { Written } from '../../simulator/contract.ts';

interface ButtonDialogProps {
  opened: boolean;
  onClose: () => void;
  onSend: (message: Pick<Written, 'text' | 'button'>) => void;
}

/** Presses a quick-reply button of a template: the phone shows the title, the bot also gets the payload. */
export function ButtonDialog({ opened, onClose, onSend }: ButtonDialogProps) {
  const [title, setTitle] = useState('Yes, please');
  const [payload, setPayload] = useState('CONFIRM');
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="Press a quick-reply button"
      centered
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Stack>
        <TextInput
          label="Title"
          description="The text on the button"
          maxLength={20}
          value={title}
          onChange={(event) => setTitle(event.currentTarget.value)}
        />
        <TextInput
          label="Payload"
          description="The payload that the bot gets"
          maxLength={256}
          value={payload}
          onChange={(event) => setPayload(event.currentTarget.value)}
        />
        <Group justify="flex-end">
          <Button
            disabled={title.trim() === '' || payload === ''}
            onClick={() => onSend({ text: title, button: { payload } })}
          >
            Press it
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
