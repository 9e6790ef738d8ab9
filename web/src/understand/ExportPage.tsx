import { useState } from 'react';
import { useClient } from 'urql';
import { ask } from '../app/ask';
import { explain } from '../app/errors';
import { notify } from '../app/noticeStore';
import { type ExportFormat, ExportPurchasesDocument } from '../graphql/generated/graphql';
import { Failure } from '../ui/Feedback';
import { count } from '../ui/format';
import { PeriodPicker, usePeriod } from '../ui/PeriodPicker';
import { Understand } from './Understand';

const FORMATS: Record<ExportFormat, string> = { CSV: 'Planilha (CSV)', JSON: 'Para programas (JSON)' };

/** All purchases, line by line, as a file. */
export default function ExportPage() {
  const client = useClient();
  const [period, setPeriod, preset] = usePeriod('12-meses');
  const [everything, setEverything] = useState(true);
  const [format, setFormat] = useState<ExportFormat>('CSV');
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string>();

  async function download() {
    setBusy(true);
    setFailure(undefined);
    const variables = { format, ...(everything ? {} : { period: { from: period.from, to: period.to } }) };
    const { data, error } = await ask(client, ExportPurchasesDocument, variables);
    setBusy(false);
    if (error) {
      setFailure(explain(error));
      return;
    }
    if (data === undefined) return;
    const { fileName, mediaType, content, lines } = data.exportPurchases;
    save(fileName, new Blob([content], { type: mediaType }));
    notify(`${count(lines, 'linha exportada', 'linhas exportadas')}.`);
  }

  return (
    <Understand title="Exportar compras">
      <section className="card stack" aria-label="O que exportar">
        <fieldset className="row">
          <legend>Compras</legend>
          <label className="row">
            <input type="radio" name="what" checked={everything} onChange={() => setEverything(true)} /> Todas
          </label>
          <label className="row">
            <input type="radio" name="what" checked={!everything} onChange={() => setEverything(false)} /> De um período
          </label>
        </fieldset>
        {!everything && <PeriodPicker period={period} preset={preset} most={Infinity} onChange={setPeriod} />}
        <fieldset className="row">
          <legend>Formato</legend>
          {(Object.keys(FORMATS) as ExportFormat[]).map((f) => (
            <label key={f} className="row">
              <input type="radio" name="format" checked={format === f} onChange={() => setFormat(f)} /> {FORMATS[f]}
            </label>
          ))}
        </fieldset>
        {failure !== undefined && <Failure>{failure}</Failure>}
        <div className="row">
          <button type="button" className="button primary" disabled={busy} onClick={() => void download()}>
            {busy ? 'Preparando…' : 'Baixar arquivo'}
          </button>
        </div>
      </section>
    </Understand>
  );
}

function save(name: string, file: Blob): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
