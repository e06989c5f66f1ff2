import { ActionIcon, Popover } from '@mantine/core';
import { useState } from 'react';
import classes from './EmojiPicker.module.css';
import { Icon } from './Icon.tsx';

/** The usual ones; every other comes with the keyboard of the machine. */
const GROUPS: [title: string, emoji: string][] = [
  ['Faces', '😀 😂 🙂 😉 😍 😘 😎 🤔 😐 🙄 😴 😢 😭 😡 😱 🤗 🥳 😇 🤯 🥺'],
  ['Hands and hearts', '👍 👎 👌 🙏 👏 🙌 💪 👋 🤝 ✌️ 🤞 👀 ❤️ 💚 💙 💔 🔥 ✨ 🎉 ⭐'],
  ['Things', '☕ 🍕 🍎 🎂 🍷 🌞 🌧️ 🌈 🌳 🌸 🐶 🐱 🏠 🚗 ✈️ 📷 📞 ⏰ 💡 ✅'],
];

/** A button that offers emoji. */
export function EmojiPicker({ onPick }: { onPick: (emoji: string) => void }) {
  const [open, setOpen] = useState(false);
  return (
    <Popover opened={open} onChange={setOpen} position="top-start" shadow="md" trapFocus returnFocus>
      <Popover.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={40}
          radius="xl"
          aria-label="Emoji"
          onClick={() => setOpen(!open)}
        >
          <Icon name="emoji" size={24} />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown className={classes.picker} aria-label="Emoji">
        {GROUPS.map(([title, emoji]) => (
          <fieldset key={title} className={classes.group}>
            <legend>{title}</legend>
            {emoji.split(' ').map((one) => (
              <button
                key={one}
                type="button"
                onClick={() => {
                  onPick(one);
                  setOpen(false);
                }}
              >
                {one}
              </button>
            ))}
          </fieldset>
        ))}
      </Popover.Dropdown>
    </Popover>
  );
}
