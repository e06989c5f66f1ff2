import classes from './Gone.module.css';
import { Icon, type IconName } from './Icon.tsx';

/** Stands in the place of a file that cannot be shown, and says so. */
export function Gone({ icon, children }: { icon: IconName; children: string }) {
  return (
    <span className={classes.gone}>
      <Icon name={icon} size={26} />
      <small>{children}</small>
    </span>
  );
}
