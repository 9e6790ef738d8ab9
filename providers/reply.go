package providers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// usable says how many items a whole reply has, or, with a *replyError, why nothing can be made of it.
type usable func(text string) (items int, err error)

// checked makes an error of a reply that cannot be used, so that it counts as one for everyone else.
func checked(ok usable, next call) call {
	return func(ctx context.Context, req sdk.Request, observe func(items int)) (reply, error) {
		res, err := next(ctx, req, observe)
		if err != nil {
			return res, err
		}
		res.items, err = ok(res.text)
		return res, err
	}
}

// draftFromReply reads a provider's whole reply. Its error is a *replyError.
//
// A QR code's key fills in for one that the reply lacks or has misread: it was printed too, as a QR code. Two keys that are both
// sound and differ are left to the ledger.
func draftFromReply(text string, qr *fiscal.QR) (invoice.Draft, error) {
	receipt, err := decodeReceipt(text)
	if err != nil {
		return invoice.Draft{}, err
	}
	if _, err := fiscal.ParseAccessKey(receipt.AccessKey); err != nil && qr != nil {
		receipt.AccessKey = string(qr.Key)
	}
	draft, err := DraftFromReceipt(receipt)
	if err != nil {
		return invoice.Draft{}, &replyError{err.Error()}
	}
	return draft, nil
}

// decodeReceipt reads the JSON of a receipt as models write it: fields that are not asked for are ignored, missing ones are
// empty, a number is taken for its text, null for nothing, and a fence around the whole is taken off. Text after the JSON,
// lists where an object should be and the like are errors.
func decodeReceipt(text string) (sdk.Receipt, error) {
	var receipt sdk.Receipt
	if len(text) > maxReply {
		return receipt, &replyError{"more than " + strconv.Itoa(maxReply) + " bytes"}
	}
	dec := json.NewDecoder(strings.NewReader(unfence(text)))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return receipt, &replyError{"not JSON"} // the decoder's own words may hold a piece of the reply
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return receipt, &replyError{"text after the JSON"}
	}
	if _, ok := v.(map[string]any); !ok {
		return receipt, &replyError{"not an object"}
	}
	if err := coerce(v, reflect.ValueOf(&receipt).Elem()); err != nil {
		return receipt, err
	}
	return receipt, nil
}

// unfence takes off the ```json that models like to put around JSON.
func unfence(text string) string {
	text = strings.TrimSpace(strings.TrimPrefix(text, "\uFEFF"))
	inner, fenced := strings.CutPrefix(text, "```")
	if !fenced {
		return text
	}
	if _, rest, ok := strings.Cut(inner, "\n"); ok {
		inner = rest
	}
	return strings.TrimSuffix(strings.TrimSpace(inner), "```")
}

// coerce fills dst, which is made of structs, slices, strings and booleans, from decoded JSON.
func coerce(v any, dst reflect.Value) error {
	if v == nil {
		return nil
	}
	switch dst.Kind() {
	case reflect.Struct:
		fields, ok := v.(map[string]any)
		if !ok {
			return &replyError{"not an object where " + dst.Type().Name() + " should be"}
		}
		for field, value := range dst.Fields() {
			if err := coerce(fields[field.Tag.Get("json")], value); err != nil {
				return err
			}
		}
	case reflect.Slice:
		values, ok := v.([]any)
		if !ok {
			return &replyError{"not a list where one of " + dst.Type().Elem().Name() + " should be"}
		}
		dst.Set(reflect.MakeSlice(dst.Type(), len(values), len(values)))
		for i, value := range values {
			if err := coerce(value, dst.Index(i)); err != nil {
				return err
			}
		}
	case reflect.String:
		s, ok := scalar(v)
		if !ok {
			return &replyError{"a list or an object where text should be"}
		}
		dst.SetString(s)
	case reflect.Bool:
		s, ok := scalar(v)
		if !ok {
			return &replyError{"a list or an object where true or false should be"}
		}
		yes, _ := strconv.ParseBool(strings.TrimSpace(s)) // anything else is no
		dst.SetBool(yes)
	default:
		return &replyError{"a field of an unknown kind"}
	}
	return nil
}

// scalar is the text of a string, a number or a boolean. A number is written out without an exponent, which the parsers of
// amounts refuse; one too large to be anything printed stays as it is, for them to refuse.
func scalar(v any) (string, bool) {
	const most = 20 // digits that an exponent may add
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case json.Number:
		s := v.String()
		if !bytes.ContainsAny([]byte(s), "eE") {
			return s, true
		}
		if d, err := decimal.NewFromString(s); err == nil && d.Exponent() <= most && d.Exponent() >= -most {
			return d.String(), true
		}
		return s, true
	}
	return "", false
}
