import type { ReactNode } from 'react';

/** Something is on its way. */
export function Loading({ what = 'Carregando…' }: { what?: string }) {
  return (
    <p className="row" role="status">
      <span className="spinner" aria-hidden="true" /> {what}
    </p>
  );
}

/** Something went wrong; read out at once. */
export function Failure({ children }: { children: ReactNode }) {
  return (
    <div className="card bad" role="alert">
      {children}
    </div>
  );
}
