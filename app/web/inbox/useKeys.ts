import { useHotkeys } from '@mantine/hooks';

/** Keys of the page: they rest while somebody writes, and while a dialog or a menu is open, which has keys of its own. */
export function useKeys(keys: [key: string, act: () => void][]): void {
  useHotkeys(keys.map(([key, act]) => [key, () => !document.querySelector('[role="dialog"], [role="menu"]') && act()]));
}
