/** Short messages: shown for a while, and read out by screen readers. */
export interface Notice {
  id: number;
  text: string;
}

const LIFE_MS = 6_000;

let notices: readonly Notice[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

function set(next: readonly Notice[]): void {
  notices = next;
  for (const listener of listeners) listener();
}

export const noticeStore = {
  subscribe: (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  snapshot: (): readonly Notice[] => notices,
};

export function dismiss(id: number): void {
  set(notices.filter((n) => n.id !== id));
}

/** A text that is there already is not repeated. */
export function notify(text: string, lifeMs = LIFE_MS): void {
  if (notices.some((n) => n.text === text)) return;
  const id = ++lastId;
  set([...notices, { id, text }]);
  setTimeout(() => dismiss(id), lifeMs);
}
