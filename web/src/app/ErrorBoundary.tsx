import { Component, type ReactNode } from 'react';
import { Failure } from '../ui/Feedback';

interface State {
  failed: boolean;
}

/** Shows a way out when a page breaks, or when its code cannot be loaded: offline, or replaced by a newer version. */
export class ErrorBoundary extends Component<{ children: ReactNode }, State> {
  override state: State = { failed: false };

  static getDerivedStateFromError(): State {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return (
      <Failure>
        <div className="stack">
          <p>Esta página não abriu direito.</p>
          <button type="button" className="button" onClick={() => location.reload()}>
            Carregar de novo
          </button>
        </div>
      </Failure>
    );
  }
}
