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
            <Link href={p.href} className={css['link'] ?? ''} {...current(p.href, location)}>
              {p.label}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** A part's first page has no pages below it: those are beside it. */
function current(href: string, location: string): { 'aria-current'?: 'page' | true } {
  if (location === href) return { 'aria-current': 'page' };
  const below = href.lastIndexOf('/') > 0 && location.startsWith(`${href}/`);
  return below ? { 'aria-current': true } : {};
}
