import { useQuery } from '@tanstack/react-query';
import { notices } from './api.ts';
import classes from './inbox.module.css';

/** Fetched again so often, ms: a budget is used up while the page is open. */
const AGAIN_MS = 60_000;

/** What the operator should know or mend. It cannot be hidden: until then the assistant helps nobody, or soon will not. */
export function Notices() {
  const { data } = useQuery({ queryKey: ['notices'], queryFn: notices, refetchInterval: AGAIN_MS });
  return data?.items.map(({ code, text }) => (
    <p key={code} className={classes.notice} role="status">
      {text}
    </p>
  ));
}
