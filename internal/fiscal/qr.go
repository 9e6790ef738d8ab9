package fiscal

import (
	"encoding/hex"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// QR is what the QR code of an NFC-e says. Its raw text can carry the consumer's CPF and is never kept.
type QR struct {
	Key     AccessKey
	Version int        // 1, 2 or 3
	Offline bool       // issued in contingency: Day and Amount are then present
	Test    bool       // tpAmb = 2
	Day     int        // day of the month of issue; 0 when the code does not say
	Issued  *time.Time // v1 only (dhEmi)
	Amount  *Money     // amount due (vNF); v1 and offline codes
	Host    string     // lower case, no port; a URL is matched to its state by host, never by path
	State   string     // the state whose host it is ("SP"); "" when the host is no state's

	// What a state asks for besides the key before it shows a note: of version 2 alone, "" where it does not have its form. None
	// of it names the consumer.
	TokenID string // cscId, which of the shop's secrets made Hash: up to six digits
	Hash    string // 40 hexadecimal digits, in capitals
	Digest  string // digVal of the offline form: hexadecimal digits as they stand
}

// ErrQR says that a text is not the QR code of an NFC-e. It never repeats the text, which may carry a CPF; what is wrong with
// the key inside is told by ErrAccessKeyForm and ErrAccessKeyCheckDigit, which do not either.
var ErrQR = errors.New("not the QR code of an NFC-e")

// maxQR is more bytes than the longest code has: the URL is at most 1000 characters in the official layout, and percent
// escapes may triple that.
const maxQR = 4096

// ParseQR reads the text of an NFC-e's QR code: a URL, at whatever host, in one of the five official forms.
//
//	v1          ?chNFe=…&nVersao=100&tpAmb=…&cDest=…&dhEmi=<hex>&vNF=…&…
//	v2 online   ?p=key|2|tpAmb|cscId|hash
//	v2 offline  ?p=key|2|tpAmb|day|vNF|digVal|cscId|hash
//	v3 online   ?p=key|3|tpAmb
//	v3 offline  ?p=key|3|tpAmb|day|vNF|tp_idDest|cDest|signature
//
// A missing scheme, capitals in scheme, host and names, percent escapes, "&amp;" and blanks are borne. A scheme that is not
// http or https, a host with a user before it, and a code with fewer or more fields than its form are not: such a code was
// not printed by a till. The hash cannot be checked without the issuer's secret. It fails with ErrQR, ErrAccessKeyForm or
// ErrAccessKeyCheckDigit.
func ParseQR(raw string) (QR, error) {
	if len(raw) > maxQR {
		return QR{}, ErrQR
	}
	text := strings.TrimPrefix(strings.TrimSpace(raw), "\ufeff")
	text = strings.Join(strings.Fields(text), "") // a URL has no blanks: they come from wrapped lines
	host, query, ok := splitQR(text)
	if !ok {
		return QR{}, ErrQR
	}
	var qr QR
	var err error
	if p := parameter(query, "p"); p != "" {
		qr, err = parseFields(strings.Split(p, "|"))
	} else {
		qr, err = parseV1(query)
	}
	if err != nil {
		return QR{}, err
	}
	qr.Host, qr.State = host, StateOfHost(host)
	return qr, nil
}

// splitQR takes a URL with or without a scheme apart. It does not use url.Parse: the pipes, and the '+' and '%' of a base64
// signature, are not always escaped.
func splitQR(text string) (host, query string, ok bool) {
	for _, scheme := range []string{"http://", "https://"} {
		if len(text) >= len(scheme) && strings.EqualFold(text[:len(scheme)], scheme) {
			text = text[len(scheme):]
			break
		}
	}
	end := strings.IndexAny(text, "/?#")
	if end < 0 {
		return "", "", false
	}
	if host, ok = hostName(text[:end]); !ok {
		return "", "", false
	}
	_, query, ok = strings.Cut(text[end:], "?")
	return host, query, ok
}

// parameter is the first value of that name, unescaped; "" when there is none. Names are compared without regard to case.
func parameter(query, name string) string {
	query, _, _ = strings.Cut(query, "#")
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if !strings.EqualFold(strings.TrimPrefix(key, "amp;"), name) { // "&amp;" of a URL copied out of XML
			continue
		}
		// PathUnescape, since '+' is itself in base64. An escape that is none is left as it stands: it can only be in a field
		// that is not read, or make one that is read fail.
		if plain, err := url.PathUnescape(value); err == nil {
			return plain
		}
		return strings.NewReplacer("%7C", "|", "%7c", "|").Replace(value)
	}
	return ""
}

// parseFields reads versions 2 and 3: fields between pipes, the first three the same in all forms, and the next two in both
// offline ones.
func parseFields(fields []string) (QR, error) {
	const online2, online3, offline = 5, 3, 8 // fields of each form
	if len(fields) < online3 {
		return QR{}, ErrQR
	}
	qr := QR{Offline: len(fields) == offline}
	switch {
	case fields[1] == "2" && (len(fields) == online2 || qr.Offline):
		qr.Version = 2
	case fields[1] == "3" && (len(fields) == online3 || qr.Offline):
		qr.Version = 3
	default:
		return QR{}, ErrQR
	}
	var err error
	if qr.Key, err = ParseAccessKey(fields[0]); err != nil {
		return QR{}, err
	}
	var ok bool
	if qr.Test, ok = parseEnvironment(fields[2]); !ok {
		return QR{}, ErrQR
	}
	if qr.Version == 2 {
		qr.proof(fields)
	}
	if qr.Offline {
		if qr.Day, ok = parseDay(fields[3]); !ok {
			return QR{}, ErrQR
		}
		if qr.Amount, ok = parseAmount(fields[4]); !ok {
			return QR{}, ErrQR
		}
	}
	return qr, nil
}

// parseV1 reads the first version, whose fields are parameters with names. The moment and the amount may be missing, but not
// be wrong.
func parseV1(query string) (QR, error) {
	if parameter(query, "nVersao") != "100" {
		return QR{}, ErrQR
	}
	qr := QR{Version: 1}
	var err error
	if qr.Key, err = ParseAccessKey(parameter(query, "chNFe")); err != nil {
		return QR{}, err
	}
	qr.Offline = qr.Key.Offline()
	var ok bool
	if qr.Test, ok = parseEnvironment(parameter(query, "tpAmb")); !ok {
		return QR{}, ErrQR
	}
	if v := parameter(query, "dhEmi"); v != "" {
		issued, ok := parseMoment(v)
		if !ok {
			return QR{}, ErrQR
		}
		qr.Issued, qr.Day = &issued, issued.Day()
	}
	if v := parameter(query, "vNF"); v != "" {
		if qr.Amount, ok = parseAmount(v); !ok {
			return QR{}, ErrQR
		}
	}
	return qr, nil
}

// parseEnvironment reads tpAmb: 1 is production, 2 a test.
func parseEnvironment(s string) (test, ok bool) {
	return s == "2", s == "1" || s == "2"
}

func parseDay(s string) (int, bool) {
	if s == "" || len(s) > 2 || !allDigits(s) {
		return 0, false
	}
	day, err := strconv.Atoi(s)
	return day, err == nil && day >= 1 && day <= 31
}

func parseAmount(s string) (*Money, bool) {
	m, err := ParseMoney(s)
	if err != nil || m < 0 {
		return nil, false
	}
	return &m, true
}

// parseMoment reads dhEmi, the hexadecimal of an ISO 8601 moment. One without its zone is taken for Brasília's.
func parseMoment(s string) (time.Time, bool) {
	b, err := hex.DecodeString(s)
	if err != nil {
		return time.Time{}, false
	}
	text := string(b)
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, true
	}
	const brasilia = -3 * 60 * 60 // seconds east of UTC; no daylight saving since 2019
	t, err := time.ParseInLocation("2006-01-02T15:04:05", text, time.FixedZone("-03", brasilia))
	return t, err == nil
}
