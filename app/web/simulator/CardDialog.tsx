import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { Written } from '../../simulator/contract.ts';

interface CardDialogProps {
  opened: boolean;
  onClose: () => void;
  onSend: (message: Pick<Written, 'text' | 'card'>) => void;
}

/** Somebody's contact card to share. */
export function CardDialog({ opened, onClose, onSend }: CardDialogProps) {
  const [name, setName] = useState('Ben Okafor');
  const [phone, setPhone] = useState('+1 555 010 0145');
  const isComplete = name.trim() !== '' && /^\+?[\d ().-]{6,30}$/.test(phone);
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="Share a contact"
      centered
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Stack>
        <TextInput label="Name" maxLength={100} value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <TextInput
          label="Number"
          description="Nobody is called or written to"
          maxLength={30}
          value={phone}
          onChange={(event) => setPhone(event.currentTarget.value)}
        />
        <Group justify="flex-end">
          <Button disabled={!isComplete} onClick={() => onSend({ text: '', card: { name, phone } })}>
            Share it
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
