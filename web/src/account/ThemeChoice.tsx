import { type Theme, useTheme } from '../app/theme';

const LABELS: Record<Theme, string> = { system: 'Como no aparelho', light: 'Claro', dark: 'Escuro' };

export function ThemeChoice() {
  const [theme, setTheme] = useTheme();
  return (
    <fieldset className="card row">
      <legend className="hidden">Aparência</legend>
      <strong aria-hidden="true">Aparência</strong>
      {(Object.keys(LABELS) as Theme[]).map((t) => (
        <label key={t} className="row">
          <input type="radio" name="theme" checked={theme === t} onChange={() => setTheme(t)} />
          {LABELS[t]}
        </label>
      ))}
    </fieldset>
  );
}
