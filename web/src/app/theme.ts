import { useState } from 'react';

/** What the person chose; "system" follows the device. public/theme.js applies it before the first paint. */
export type Theme = 'system' | 'light' | 'dark';

function stored(): Theme {
  const theme = document.documentElement.dataset['theme'];
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, set] = useState(stored);
  return [
    theme,
    (next) => {
      set(next);
      if (next === 'system') delete document.documentElement.dataset['theme'];
      else document.documentElement.dataset['theme'] = next;
      try {
        if (next === 'system') localStorage.removeItem('theme');
        else localStorage.setItem('theme', next);
      } catch {
        // Storage is blocked: it holds until the page is closed.
      }
    },
  ];
}
