import { useHotkeys } from '@mantine/hooks';

/** Where keys write. A filter that was just clicked is an input, too, but takes no text. */
const TEXT_FIELD =
  'textarea, select, [contenteditable], input:not([type=radio], [type=checkbox], [type=button], [type=submit], [type=range])';

/** Keys of the page: inactive in text fields, and while a dialog or menu is open. */
export function useKeys(keys: [key: string, act: () => void][]): void {
  useHotkeys(
    keys.map(([key, act]) => [key, (event) => press(event, act), { preventDefault: false }]),
    [],
  );
}

function press(event: KeyboardEvent, act: () => void): void {
  if (!isFree(event)) return;
  event.preventDefault();
  act();
}

const OVERLAY = '[role="dialog"], [role="menu"]';

/** The dialog that a key has just closed is no longer in the page, but still on the key's way. */
function isFree(event: KeyboardEvent): boolean {
  if (document.activeElement?.matches(TEXT_FIELD) || document.querySelector(OVERLAY)) return false;
  return !event.composedPath().some((place) => place instanceof Element && place.matches(`${TEXT_FIELD}, ${OVERLAY}`));
}
