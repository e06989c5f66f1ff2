import { useQuery } from '@tanstack/react-query';
import { notices } from './api.ts';
import classes from './inbox.module.css';

/** What the operator should mend in the settings. It cannot be hidden: until then the assistant helps nobody. */
export function Notices() {
  const { data } = useQuery({ queryKey: ['notices'], queryFn: notices, staleTime: Number.POSITIVE_INFINITY });
  return data?.items.map(({ code, text }) => (
    <p key={code} className={classes.notice} role="status">
      {text}
    </p>
  ));
}
