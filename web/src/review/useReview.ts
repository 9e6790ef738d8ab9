import { useMemo, useState } from 'react';
import { useClient, useMutation, type CombinedError } from 'urql';
import { ask } from '../app/ask';
import { explain, serviceError } from '../app/errors';
import { notify } from '../app/noticeStore';
import {
  ConfirmInvoiceDocument,
  CorrectInvoiceDocument,
  ReviewDocument,
  type ReviewedFragment,
} from '../graphql/generated/graphql';
import { count } from '../ui/format';
import { type Difference, differences, rebase } from './conflict';
import { type Correction, correction, type Place, placeOf } from './correction';
import { type Draft, toDraft } from './draft';

const NO_ERRORS: ReadonlyMap<Place, string> = new Map();

/** The invoice as the person saw it, what they make of it, and what becomes of that. */
export function useReview(invoice: ReviewedFragment) {
  const client = useClient();
  const [{ fetching: saving }, correct] = useMutation(CorrectInvoiceDocument);
  const [{ fetching: confirming }, confirm] = useMutation(ConfirmInvoiceDocument);
  const [seen, setSeen] = useState(invoice);
  const [draft, setDraft] = useState<Draft>(() => toDraft(invoice));
  const [errors, setErrors] = useState(NO_ERRORS);
  const [failure, setFailure] = useState<string>();
  const [changedMeanwhile, setChangedMeanwhile] = useState<Difference[]>();
  const base = useMemo(() => toDraft(seen), [seen]);
  const pending = useMemo(() => correction(base, draft), [base, draft]);
  const dirty = pending.input !== undefined || pending.errors.size > 0;

  // What came in the background is taken at once, as long as nothing was typed.
  if (!dirty && invoice.version > seen.version) take(invoice);

  function take(fresh: ReviewedFragment) {
    setSeen(fresh);
    setDraft(toDraft(fresh));
    setErrors(NO_ERRORS);
  }

  /** Shows what went wrong; when somebody else was first, the fresh invoice with what was typed upon it. */
  async function explainFailure(error: CombinedError, sent?: Correction) {
    const known = serviceError(error);
    if (known?.code === 'CONFLICT') {
      const reply = await ask(client, ReviewDocument, { id: seen.id });
      const fresh = reply.data?.invoice;
      if (fresh != null && fresh.version !== seen.version) {
        const other = toDraft(fresh);
        setChangedMeanwhile(differences(base, other));
        setSeen(fresh);
        setDraft(rebase(base, draft, other));
        return;
      }
    }
    if (known?.field !== undefined && sent !== undefined) {
      setErrors(new Map([[placeOf(known.field, sent), known.message]]));
    }
    setFailure(explain(error));
  }

  async function save() {
    setFailure(undefined);
    setErrors(pending.errors);
    setChangedMeanwhile(undefined);
    if (pending.errors.size > 0) {
      setFailure('Há valores que não entendemos. Confira os campos marcados.');
      return;
    }
    if (pending.input === undefined) {
      notify('Nada mudou.');
      return;
    }
    const input = { invoiceId: seen.id, expectedVersion: seen.version, ...pending.input };
    const { data, error } = await correct({ input });
    if (error) return explainFailure(error, pending);
    if (data === undefined) return;
    const after = data.correctInvoice.invoice;
    take(after);
    const failed = after.checks.filter((c) => !c.passed).length;
    notify(
      after.status === 'COMPLETED'
        ? 'Nota salva. Tudo confere.'
        : `Nota salva. ${count(failed, 'valor ainda não fecha', 'valores ainda não fecham')}.`,
    );
  }

  async function confirmIt() {
    setFailure(undefined);
    setChangedMeanwhile(undefined);
    const { data, error } = await confirm({ input: { invoiceId: seen.id, expectedVersion: seen.version } });
    if (error) return explainFailure(error);
    if (data === undefined) return;
    take(data.confirmInvoice.invoice);
    notify('Nota confirmada como está no papel.');
  }

  return {
    seen,
    base,
    draft,
    setDraft,
    errors,
    failure,
    changedMeanwhile,
    dirty,
    busy: saving || confirming,
    save,
    confirmIt,
    discard: () => take(seen),
  };
}
