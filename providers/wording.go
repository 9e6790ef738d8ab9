package providers

import (
	"context"
	"errors"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// What the family is told when no provider could read a document. Which provider failed, and why, is for the operator: it is in
// the error's cause, the log and the attempts.
const (
	sentenceUnsupported = "Nenhum leitor disponível consegue ler este tipo de arquivo."
	sentenceUnreadable  = "Não foi possível ler a nota. Envie uma foto mais nítida, de perto, reta e sem sombras."
	sentenceUnavailable = "A leitura de notas está indisponível agora. Tente de novo mais tarde."
	sentenceInternal    = "Algo deu errado do nosso lado ao ler a nota."
	// The consent is the user's to give, and may be kept back.
	sentenceConsent      = "Para ler esta nota é preciso autorizar um leitor externo no seu perfil."
	sentenceLaterConsent = "A leitura de notas está indisponível agora. Tente de novo mais tarde ou autorize outro leitor no seu perfil."
)

// What the family is told when no provider put findings into words.
const (
	sentenceNoWords             = "Não foi possível escrever a análise desta compra."
	sentenceNoWordsNow          = "A análise de compras está indisponível agora. Tente de novo mais tarde."
	sentenceNoWordsInternal     = "Algo deu errado do nosso lado ao analisar a compra."
	sentenceNoWordsConsent      = "Para analisar esta compra é preciso autorizar um serviço externo no seu perfil."
	sentenceNoWordsLaterConsent = "A análise de compras está indisponível agora. Tente de novo mais tarde ou autorize outro serviço no seu perfil."
)

// wording is how the failures of a task are told.
type wording struct {
	nobody string // for the log
	// unsupported is that no provider takes the task, impossible that each has said for good that it cannot do it.
	unsupported, impossible         string
	unsupportedCode, impossibleCode invoice.Code
	unavailable, internal           string
	consent, laterConsent           string
}

func readingWords() wording {
	return wording{
		nobody:      "no provider could read the document",
		unsupported: sentenceUnsupported, unsupportedCode: invoice.CodeUnsupportedMedia,
		impossible: sentenceUnreadable, impossibleCode: invoice.CodeBadUserInput,
		unavailable: sentenceUnavailable, internal: sentenceInternal,
		consent: sentenceConsent, laterConsent: sentenceLaterConsent,
	}
}

// writingWords blames nobody's file: a family can do nothing about facts that a model refuses.
func writingWords() wording {
	return wording{
		nobody:      "no provider put the findings into words",
		unsupported: sentenceNoWords, unsupportedCode: invoice.CodeUnavailable,
		impossible: sentenceNoWords, impossibleCode: invoice.CodeUnavailable,
		unavailable: sentenceNoWordsNow, internal: sentenceNoWordsInternal,
		consent: sentenceNoWordsConsent, laterConsent: sentenceNoWordsLaterConsent,
	}
}

// forCaller is the error of the caller's context when that is what ended a request, and err otherwise. What all tasks have in
// common fails without a sentence; it gets the task's here. Errors are shared by all who wait, so it is a copy that gets it.
func (w wording) forCaller(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e, ok := errors.AsType[*invoice.ExtractionError](err)
	if !ok || e.Message != "" {
		return err
	}
	told := *e
	told.Message = w.unavailable
	if e.Code == invoice.CodeInternal {
		told.Message = w.internal
	}
	return &told
}
