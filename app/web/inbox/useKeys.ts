import { useHotkeys } from '@mantine/hooks';

/** Keys of the page: inactive in text fields, and while a dialog or menu is open. */
export function useKeys(keys: [key: string, act: () => void][]): void {
  useHotkeys(keys.map(([key, act]) => [key, () => !document.querySelector('[role="dialog"], [role="menu"]') && act()]));
}
