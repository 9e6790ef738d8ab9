import { Link, useLocation } from 'wouter';
import css from './Sections.module.css';

interface Props {
  label: string;
  pages: { href: string; label: string }[];
}

/** The pages of one part of the app. */
export function Sections({ label, pages }: Props) {
  const [location] = useLocation();
  return (
    <nav aria-label={label}>
      <ul className={css['list']}>
        {pages.map((p) => (
          <li key={p.href}>
            <Link
              href={p.href}
              className={css['link'] ?? ''}
              {...(location === p.href ? { 'aria-current': 'page' } : {})}
            >
              {p.label}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
