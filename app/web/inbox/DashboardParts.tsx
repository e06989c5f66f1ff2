import { Link, useLocation } from 'wouter';
import classes from './Dashboard.module.css';

const PARTS = [
  { path: '/dashboard', name: 'Figures' },
  { path: '/dashboard/costs', name: 'Costs' },
];

/** The head of each part of the dashboard, with the way to the others. */
export function DashboardParts({ heading }: { heading: string }) {
  const [here] = useLocation();
  return (
    <div className={classes.bar}>
      <h1 className={classes.heading}>{heading}</h1>
      <nav className={classes.parts} aria-label="Parts of the dashboard">
        {PARTS.map(({ path, name }) => (
          <Link key={path} href={path} aria-current={here === path ? 'page' : undefined}>
            {name}
          </Link>
        ))}
      </nav>
    </div>
  );
}
