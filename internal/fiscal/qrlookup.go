package fiscal

import (
	"fmt"
	"strings"
)

// proof takes what version 2 shows the state besides the key: the last two fields and, offline, the digest before them.
func (q *QR) proof(fields []string) {
	const hashLength, longestToken, longestDigest = 40, 6, 120
	n := len(fields)
	token, hash := fields[n-2], strings.ToUpper(fields[n-1])
	if token == "" || len(token) > longestToken || !allDigits(token) || len(hash) != hashLength || !allHex(hash) {
		return
	}
	if q.Offline {
		digest := fields[5]
		if digest == "" || len(digest) > longestDigest || !allHex(strings.ToUpper(digest)) {
			return
		}
		q.Digest = digest
	}
	q.TokenID, q.Hash = token, hash
}

func allHex(s string) bool { return strings.Trim(s, "0123456789ABCDEF") == "" }

// Lookup is what a state's page is asked with: the value of its parameter p, made of the fields alone, which have been validated.
// A key without a code (Version 0) and a code of version 3 are asked for by the key, so that the consumer, whom the offline form
// of version 3 names, is told to nobody. "" when the code does not have what its version asks for; version 1 was given up by the
// states in 2018.
//
//	key|2|tpAmb|cscId|hash
//	key|2|tpAmb|day|vNF|digVal|cscId|hash
//	key|3|tpAmb
func (q QR) Lookup() string {
	environment := "1"
	if q.Test {
		environment = "2"
	}
	switch {
	case q.Key.Validate() != nil:
	case q.Version == 0 || q.Version == 3:
		return string(q.Key) + "|3|" + environment
	case q.Version != 2 || q.Hash == "":
	case !q.Offline:
		return strings.Join([]string{string(q.Key), "2", environment, q.TokenID, q.Hash}, "|")
	case q.Digest != "" && q.Amount != nil:
		day, amount := fmt.Sprintf("%02d", q.Day), q.Amount.Decimal().StringFixed(2)
		return strings.Join([]string{string(q.Key), "2", environment, day, amount, q.Digest, q.TokenID, q.Hash}, "|")
	}
	return ""
}

// Record is the code as it may be kept to ask for the note later: Lookup's text, or the key alone for a key without a code.
// ParseRecord reads it.
func (q QR) Record() string {
	if q.Version == 0 {
		return string(q.Key)
	}
	return q.Lookup()
}

// ParseRecord reads what Record wrote. It fails as ParseQR does.
func ParseRecord(text string) (QR, error) {
	if !strings.Contains(text, "|") {
		key, err := ParseAccessKey(text)
		return QR{Key: key}, err
	}
	return parseFields(strings.Split(text, "|"))
}
