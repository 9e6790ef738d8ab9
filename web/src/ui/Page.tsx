import { useEffect, useRef, type ReactNode } from 'react';

interface Props {
  title: string;
  /** Beside the heading. */
  actions?: ReactNode;
  children: ReactNode;
}

/** Whether a page was shown before: the first one leaves the focus to the browser. */
const visited = { any: false };

/** The frame of every page: its title in the window, and the focus on its heading, so that screen readers tell of the new page. */
export function Page({ title, actions, children }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Mercado Esperto`;
  }, [title]);
  useEffect(() => {
    if (visited.any) heading.current?.focus();
    visited.any = true;
  }, []);
  return (
    <div className="stack">
      <div className="row">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {actions}
      </div>
      {children}
    </div>
  );
}
