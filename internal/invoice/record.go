package invoice

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// recordProvider is the name of the state among the attempts of an invoice; the model is which state.
const recordProvider = "sefaz"

// recordWaits is how long is waited between one question and the next while the state does not have a note, or does not answer: a
// note issued offline may come a day later. After the last the answer stands.
func recordWaits() []time.Duration {
	return []time.Duration{time.Minute, 15 * time.Minute, 2 * time.Hour, 12 * time.Hour}
}

// question asks the state for the record of a note while something else goes on.
type question struct {
	service *Service
	ctx     context.Context //nolint:containedctx // of the run whose question it is
	cancel  context.CancelFunc
	started time.Time
	answer  chan Record // nil before it was asked
}

// newQuestion makes a question that can be asked until ctx ends. close must follow.
func (s *Service) newQuestion(ctx context.Context) *question {
	ctx, cancel := context.WithCancel(ctx)
	return &question{service: s, ctx: ctx, cancel: cancel}
}

// ask begins, once, where a state can be asked with what qr has.
func (q *question) ask(qr fiscal.QR) {
	official := q.service.Official
	if q.answer != nil || official == nil || official.Accepts(qr) != nil {
		return
	}
	q.started, q.answer = q.service.Now(), make(chan Record, 1)
	go func() { q.answer <- official.Lookup(q.ctx, qr) }()
}

// close gives up what was not waited for.
func (q *question) close() {
	q.cancel()
	if q.answer != nil {
		<-q.answer
	}
}

// wait gives the answer and what is to be told of it; false when nobody was asked. It is called once.
func (q *question) wait() (Record, Attempt, bool) {
	if q.answer == nil {
		return Record{}, Attempt{}, false
	}
	record := <-q.answer
	q.answer = nil
	return record, recordAttempt(record, q.started, q.service.Now()), true
}

func recordAttempt(r Record, started, finished time.Time) Attempt {
	a := Attempt{Provider: recordProvider, Model: r.State, Outcome: strings.ToLower(string(r.Outcome)), StartedAt: started, FinishedAt: finished}
	if r.Outcome == RecordFound {
		a.Outcome, a.Items = "ok", len(r.Draft.Items)
	}
	return a
}

// recordError ends a run of an invoice that has nothing but its code. It waits for the state in a time of its own, which is longer
// than the queue would have tried.
type recordError struct{ cause *ExtractionError }

func (e *recordError) Error() string { return e.cause.Error() }
func (e *recordError) Unwrap() error { return e.cause }

// withoutRecord says what comes of an invoice for which there is nothing but the record that the state did not give.
func (s *Service) withoutRecord(inv *Invoice, r Record) *recordError {
	e := &ExtractionError{Permanent: true}
	switch r.Outcome {
	case RecordNotYet, RecordUnavailable:
		e.Code, e.Message = CodeUnavailable, fmt.Sprintf("A SEFAZ de %s não respondeu. Tente de novo mais tarde ou envie uma foto da nota.", r.State)
		if r.Outcome == RecordNotYet {
			e.Code, e.Message = CodeNotFound, fmt.Sprintf("A SEFAZ de %s não encontrou esta nota. Envie uma foto, o PDF ou o XML.", r.State)
		}
		if next := inv.unanswered() % (len(recordWaits()) + 1); next < len(recordWaits()) {
			e.Permanent, e.RetryAfter = false, recordWaits()[next]
		}
	case RecordCaptcha, RecordUnknownLayout:
		e.Code = CodeUnavailable
		e.Message = fmt.Sprintf("A SEFAZ de %s não deixa ler esta nota automaticamente. Envie uma foto, o PDF ou o XML.", r.State)
	case RecordCancelled:
		e.Code, e.Message = CodeConflict, "Esta nota foi cancelada pela loja, segundo a SEFAZ."
	case RecordRefused, RecordFound:
		e.Code = CodeBadUserInput
		e.Message = fmt.Sprintf("A SEFAZ de %s não aceitou este código. Leia o QR code de novo ou envie uma foto da nota.", r.State)
	}
	return &recordError{cause: e}
}

// unanswered counts the questions to the state, up to the last one, that are still without an answer.
func (inv *Invoice) unanswered() int {
	n := 0
	for _, a := range slices.Backward(inv.Attempts) {
		if a.Provider != recordProvider || a.Outcome != "not_yet" && a.Outcome != "unavailable" {
			break
		}
		n++
	}
	return n
}

// code is what was submitted in the place of files; nil when files were.
func (inv *Invoice) code() *File {
	if len(inv.Files) == 1 && inv.Files[0].Kind == FileQR {
		return &inv.Files[0]
	}
	return nil
}

// parseCode reads what was submitted in the place of files. The error is a BAD_USER_INPUT *Error that names the field, and does not
// repeat the text, which may name the consumer.
func (s *Service) parseCode(qrCode, accessKey string) (fiscal.QR, error) {
	field := "qrCode"
	var qr fiscal.QR
	var err error
	if qrCode != "" {
		if qr, err = fiscal.ParseQR(qrCode); err != nil {
			message := "Este QR code não é de uma nota de consumidor (NFC-e)."
			if errors.Is(err, fiscal.ErrAccessKeyCheckDigit) {
				message = "O QR code foi lido com erro: leia-o de novo."
			}
			return qr, &Error{Code: CodeBadUserInput, Field: field, Message: message}
		}
	} else {
		field = "accessKey"
		if qr.Key, err = fiscal.ParseAccessKey(accessKey); err != nil {
			return qr, &Error{Code: CodeBadUserInput, Field: field, Message: "Esta chave de acesso não existe: confira os 44 caracteres."}
		}
	}
	if s.Official == nil {
		return qr, &Error{
			Code: CodeUnavailable, Field: field, Message: "A consulta à SEFAZ está desligada neste servidor: envie uma foto, o PDF ou o XML da nota.",
		}
	}
	err = s.Official.Accepts(qr)
	if e, ok := errors.AsType[*Error](err); ok {
		named := *e
		named.Field = field
		return qr, &named
	}
	return qr, err
}
