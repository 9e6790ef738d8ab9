import { useCallback, useEffect, useRef, type SyntheticEvent } from 'react';
import { useQuery } from 'urql';
import { CategoriesDocument, type ReviewedFragment } from '../graphql/generated/graphql';
import { useLeaving } from '../app/leaving';
import { Confirm } from '../ui/Confirm';
import { Failure } from '../ui/Feedback';
import { count } from '../ui/format';
import { STATUS } from '../watch/words';
import { FailedChecks } from './Checks';
import { ChangedMeanwhile } from './ChangedMeanwhile';
import { type Draft, type LineField, newLine, type NoteField } from './draft';
import { History } from './History';
import { Lines } from './Lines';
import { NoteFields, TotalFields } from './NoteFields';
import { Payments } from './Payments';
import { Photos } from './Photos';
import css from './Review.module.css';
import { useReview } from './useReview';

interface Props {
  invoice: ReviewedFragment;
  reloadPhotos: () => void;
}

export function Editor({ invoice, reloadPhotos }: Props) {
  const review = useReview(invoice);
  const { seen, base, draft, setDraft, errors, busy, dirty } = review;
  const [{ data }] = useQuery({ query: CategoriesDocument });
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (errors.size > 0) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [errors]);
  const asking = useLeaving(dirty);

  const setNote = useCallback(
    (field: NoteField, value: string) => setDraft((d) => ({ ...d, note: { ...d.note, [field]: value } })),
    [setDraft],
  );
  const setLine = useCallback(
    (key: string, field: LineField, value: string) =>
      setDraft((d) => ({ ...d, lines: d.lines.map((l) => (l.key === key ? { ...l, [field]: value } : l)) })),
    [setDraft],
  );
  const remove = useCallback((key: string) => setDraft((d) => withRemoved(d, key)), [setDraft]);
  const addAfter = useCallback(
    (key: string | undefined) => {
      const line = newLine();
      setDraft((d) => {
        const at = key === undefined ? d.lines.length : d.lines.findIndex((l) => l.key === key) + 1;
        return { ...d, lines: d.lines.toSpliced(at, 0, line) };
      });
      return line.key;
    },
    [setDraft],
  );

  const failed = seen.checks.filter((c) => !c.passed);
  return (
    <div className={css['sides']}>
      <Photos files={invoice.files} reload={reloadPhotos} />
      <form
        ref={form}
        className="stack"
        noValidate
        aria-label="Correção da nota"
        onSubmit={(event: SyntheticEvent) => {
          event.preventDefault();
          void review.save();
        }}
      >
        <p className={STATUS[seen.status].tone} role="status">
          <strong>{STATUS[seen.status].label}</strong>
          {failed.length > 0 && ` · ${count(failed.length, 'valor não fecha', 'valores não fecham')}`}
        </p>
        {review.changedMeanwhile && <ChangedMeanwhile differences={review.changedMeanwhile} />}
        {review.failure !== undefined && <Failure>{review.failure}</Failure>}
        <FailedChecks checks={failed} at="note" />
        <NoteFields note={draft.note} errors={errors} checks={failed} onChange={setNote} />
        <Lines
          lines={draft.lines}
          base={base.lines}
          items={seen.items}
          errors={errors}
          checks={failed}
          categories={data?.categories ?? []}
          onChange={setLine}
          onRemove={remove}
          onAdd={addAfter}
        />
        <TotalFields draft={draft} errors={errors} checks={failed} onChange={setNote} />
        <Payments
          payments={draft.payments}
          errors={errors}
          checks={failed}
          onChange={(payments) => setDraft((d) => ({ ...d, payments }))}
        />
        <div className={`row ${css['actions'] ?? ''}`}>
          <button type="submit" className="button primary" disabled={busy}>
            Salvar correção
          </button>
          {dirty ? (
            <button type="button" className="button" disabled={busy} onClick={review.discard}>
              Desfazer tudo
            </button>
          ) : (
            seen.status === 'NEEDS_REVIEW' && (
              <button type="button" className="button" disabled={busy} onClick={() => void review.confirmIt()}>
                O papel está assim
              </button>
            )
          )}
        </div>
        <History revisions={seen.revisions} confirmedAt={seen.confirmedAt ?? undefined} />
      </form>
      {asking && (
        <Confirm title="Sair sem salvar?" action="Sair sem salvar" onConfirm={asking.leave} onClose={asking.stay}>
          O que você mudou nesta nota ainda não foi salvo.
        </Confirm>
      )}
    </div>
  );
}

/** A new line goes at once; one that was read is marked, and can be taken back. */
function withRemoved(draft: Draft, key: string): Draft {
  const lines = draft.lines
    .filter((l) => l.key !== key || l.number !== 0)
    .map((l) => (l.key === key ? { ...l, removed: !l.removed } : l));
  return { ...draft, lines };
}
