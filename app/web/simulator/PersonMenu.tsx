import { Button, Menu } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Avatar } from '../parts/Avatar.tsx';
import { ColorSchemeSwitch } from '../parts/ColorSchemeSwitch.tsx';
import { Icon } from '../parts/Icon.tsx';
import { NewPerson } from './NewPerson.tsx';
import type { CastProps } from './PeopleList.tsx';
import classes from './PersonMenu.module.css';
import { chatOf } from './phones.ts';
import { shownContact } from './usePeople.ts';

/** Whose phone to hold, where there is no room for the list. */
export function PersonMenu({ people, provider, phones, chosen, onChoose, onAdd }: CastProps) {
  const [adding, { open, close }] = useDisclosure(false);
  const unread = people.reduce((sum, { contact }) => sum + (phones.get(chatOf(provider, contact))?.unread ?? 0), 0);
  return (
    <div className={classes.menu}>
      <Menu position="bottom-start" width={280} shadow="md">
        <Menu.Target>
          <Button
            variant="subtle"
            color="gray"
            px={6}
            leftSection={<Avatar name={chosen.profileName} size={28} />}
            rightSection={<Icon name="chevron" size={16} />}
          >
            <span className={classes.name}>
              You are {chosen.profileName}
              {unread > 0 && ` (${unread} new elsewhere)`}
            </span>
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {people.map(({ contact, profileName }) => (
            <Menu.Item
              key={contact}
              leftSection={<Avatar name={profileName} size={32} />}
              onClick={() => onChoose(contact)}
            >
              {profileName}
              <span className={classes.contact}>{shownContact(contact)}</span>
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item leftSection={<Icon name="plus" size={16} />} onClick={open}>
            Add a person
          </Menu.Item>
          <Menu.Item component="a" href="/whatsapp-inbox" leftSection={<Icon name="text" size={16} />}>
            What the team sees
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <ColorSchemeSwitch />
      <NewPerson opened={adding} onClose={close} onAdd={onAdd} onChoose={onChoose} />
    </div>
  );
}
