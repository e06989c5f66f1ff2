import classes from './Avatar.module.css';

/** A person's initials in a colour that is always theirs. */
export function Avatar({ name, size = 40 }: { name: string; size?: number }) {
  return (
    <span
      className={classes.avatar}
      data-tone={toneOf(name)}
      style={{ width: size, height: size, fontSize: size * 0.38 }}
      aria-hidden="true"
    >
      {initialsOf(name)}
    </span>
  );
}

/** The bot's own picture. */
export function BotAvatar({ size = 40 }: { size?: number }) {
  return (
    <span className={classes.avatar} data-tone="0" style={{ width: size, height: size }} aria-hidden="true">
      <svg width={size * 0.5} height={size * 0.5} viewBox="0 0 20 20" fill="currentColor" aria-hidden="true">
        <rect x="2" y="4" width="16" height="3.2" rx="1.6" />
        <rect x="2" y="10" width="11" height="3.2" rx="1.6" />
      </svg>
    </span>
  );
}

const TONES = 6;

function toneOf(name: string): number {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9_973;
  return sum % TONES;
}

function initialsOf(name: string): string {
  const words = name.match(/[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu) ?? [];
  const initials = words.length > 1 ? [words[0], words.at(-1)] : words;
  return initials.map((word = '') => [...word][0]?.toUpperCase()).join('') || '?';
}
