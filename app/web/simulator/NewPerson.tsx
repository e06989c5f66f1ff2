import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { SimulatedPerson } from '../../simulator/contract.ts';
import { isContact } from './usePeople.ts';

interface NewPersonProps {
  opened: boolean;
  onClose: () => void;
  onAdd: (person: SimulatedPerson) => void;
  onChoose: (contact: string) => void;
}

/** Adds a person. */
export function NewPerson({ opened, onClose, onAdd, onChoose }: NewPersonProps) {
  const [name, setName] = useState('');
  const [number, setNumber] = useState('');
  const contact = contactOf(number);
  const problem =
    number !== '' && contact === null ? 'A number such as +1 555 010 0188, or a username id such as US.1A2B' : null;

  function submit(event: FormEvent): void {
    event.preventDefault();
    if (contact === null || name.trim() === '') return;
    onAdd({ contact, profileName: name.trim() });
    onChoose(contact);
    onClose();
    setName('');
    setNumber('');
  }

  return (
    <Modal opened={opened} onClose={onClose} title="Add a person" centered closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="Profile name"
            description="What they call themselves on WhatsApp"
            required
            maxLength={100}
            data-autofocus
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <TextInput
            label="Number or username id"
            description="Nobody is called or written to"
            placeholder="+1 555 010 0188"
            required
            error={problem}
            value={number}
            onChange={(event) => setNumber(event.currentTarget.value)}
          />
          <Group justify="flex-end">
            <Button type="submit" disabled={contact === null || name.trim() === ''}>
              Hold their phone
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** As people write numbers: `+1 (555) 010-0188`. Null for what is no address. */
function contactOf(typed: string): string | null {
  const text = typed.trim();
  const contact = /^\+?[\d ().-]+$/.test(text) ? text.replace(/\D/g, '') : text;
  return isContact(contact) ? contact : null;
}
