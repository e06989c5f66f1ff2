import { ActionIcon, Button, Group, Menu, Modal, Stack, Textarea } from '@mantine/core';
import { useState } from 'react';
import type { Written } from '../../simulator/contract.ts';
import { Icon } from '../parts/Icon.tsx';
import classes from './MessageMenu.module.css';
import type { Message } from './phones.ts';

/** Sends what changes another message. @param text what it says now, or an emoji */
export type Change = (text: string, about: NonNullable<Written['about']>) => void;

interface MessageMenuProps {
  message: Message;
  onChange: Change;
}

const EMOJIS = ['👍', '❤️', '😂', '🙏'];

/** What can be done about a message: react to it, and edit or delete one's own. */
export function MessageMenu({ message, onChange }: MessageMenuProps) {
  const { sid, mine, text, reaction } = message;
  const [editing, setEditing] = useState(false);
  return (
    <>
      <Menu position="bottom" shadow="md" width={210}>
        <Menu.Target>
          <ActionIcon
            className={classes.menu}
            variant="subtle"
            color="gray"
            radius="xl"
            aria-label="About this message"
          >
            <Icon name="chevron" size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <div className={classes.emojis}>
            {EMOJIS.map((emoji) => (
              <Menu.Item
                key={emoji}
                ta="center"
                aria-label={`React with ${emoji}`}
                onClick={() => onChange(emoji, { sid, as: 'reaction' })}
              >
                {emoji}
              </Menu.Item>
            ))}
          </div>
          {reaction !== '' && (
            <Menu.Item
              leftSection={<Icon name="close" size={16} />}
              onClick={() => onChange('', { sid, as: 'reaction' })}
            >
              Take the reaction back
            </Menu.Item>
          )}
          {mine && text !== '' && (
            <Menu.Item leftSection={<Icon name="text" size={16} />} onClick={() => setEditing(true)}>
              Edit
            </Menu.Item>
          )}
          {mine && (
            <Menu.Item
              leftSection={<Icon name="trash" size={16} />}
              onClick={() => onChange('', { sid, as: 'revoke' })}
            >
              Delete for everyone
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      {editing && (
        <EditDialog
          text={text}
          onClose={() => setEditing(false)}
          onSave={(changed) => {
            setEditing(false);
            onChange(changed, { sid, as: 'edit' });
          }}
        />
      )}
    </>
  );
}

interface EditDialogProps {
  text: string;
  onClose: () => void;
  onSave: (text: string) => void;
}

function EditDialog({ text, onClose, onSave }: EditDialogProps) {
  const [changed, setChanged] = useState(text);
  return (
    <Modal opened onClose={onClose} title="Edit the message" centered closeButtonProps={{ 'aria-label': 'Close' }}>
      <Stack>
        <Textarea
          label="It says now"
          autosize
          minRows={2}
          maxRows={8}
          maxLength={4_096}
          data-autofocus
          value={changed}
          onChange={(event) => setChanged(event.currentTarget.value)}
        />
        <Group justify="flex-end">
          <Button disabled={changed.trim() === '' || changed === text} onClick={() => onSave(changed)}>
            Send the edit
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
