package fiscal

import (
	"errors"
	"strconv"
	"strings"
)

// AccessKey is a chave de acesso whose form and check digit are right: 44 characters, [0-9]{6}[0-9A-Z]{12}[0-9]{26}.
// Make one with ParseAccessKey.
type AccessKey string

// What can be wrong with an access key.
var (
	ErrAccessKeyForm       = errors.New("access key: not 44 characters of the official form")
	ErrAccessKeyCheckDigit = errors.New("access key: wrong check digit")
)

// ParseAccessKey reads a key with or without the blanks, dots, dashes and slashes that paper prints between its groups, and
// with or without XML's "NFe" prefix. It fails with ErrAccessKeyForm or ErrAccessKeyCheckDigit, which do not repeat the text:
// a natural person's key holds a CPF.
func ParseAccessKey(s string) (AccessKey, error) {
	s = strings.TrimPrefix(strings.TrimSpace(s), "NFe")
	s = strings.Map(func(r rune) rune {
		if isKeySeparator(r) {
			return -1
		}
		return r
	}, s)
	if len(s) != 44 || !allDigits(s[:6]) || !allUpperAlnum(s[6:18]) || !allDigits(s[18:]) {
		return "", ErrAccessKeyForm
	}
	if mod11(s[:43]) != s[43] {
		return "", ErrAccessKeyCheckDigit
	}
	return AccessKey(s), nil
}

// isKeySeparator says whether paper may print r between the groups of a key.
func isKeySeparator(r rune) bool {
	switch r {
	case ' ', '.', '-', '/', '\u00a0', '\t', '\n', '\r':
		return true
	}
	return false
}

// AccessKeyCheckDigit is cDV for the first 43 characters of a key. It fails with ErrAccessKeyForm.
func AccessKeyCheckDigit(s string) (byte, error) {
	if len(s) != 43 || !allDigits(s[:6]) || !allUpperAlnum(s[6:18]) || !allDigits(s[18:]) {
		return 0, ErrAccessKeyForm
	}
	return mod11(s), nil
}

// Validate says whether k is a key that ParseAccessKey made, rather than any text converted to the type. It fails as
// ParseAccessKey does, and with ErrAccessKeyForm on a key that still has separators or the prefix.
func (k AccessKey) Validate() error {
	parsed, err := ParseAccessKey(string(k))
	if err == nil && parsed != k {
		return ErrAccessKeyForm
	}
	return err
}

// part is a field of the key, "" when the text is too short to have it: no method panics on a zero AccessKey.
func (k AccessKey) part(from, to int) string {
	if len(k) < to {
		return ""
	}
	return string(k[from:to])
}

// StateCode is cUF, the IBGE code of the issuer's state: "35".
func (k AccessKey) StateCode() string { return k.part(0, 2) }

// State is the issuer's state: "SP"; "" when the code is none of the 27.
func (k AccessKey) State() string { return StateOfCode(k.StateCode()) }

// Year of issue, with its century (the AA of AAMM).
func (k AccessKey) Year() int { return 2000 + atoi(k.part(2, 4)) }

// Month of issue, 1-12 in a sane key.
func (k AccessKey) Month() int { return atoi(k.part(4, 6)) }

// CNPJ of the issuer. A natural person's key has a CPF here, zero-padded: see NaturalPerson.
func (k AccessKey) CNPJ() string { return k.part(6, 20) }

// Model is mod: 55 (NF-e) or 65 (NFC-e).
func (k AccessKey) Model() int { return atoi(k.part(20, 22)) }

// Series is serie.
func (k AccessKey) Series() int { return atoi(k.part(22, 25)) }

// Number is nNF.
func (k AccessKey) Number() int { return atoi(k.part(25, 34)) }

// Offline says that the note was issued in contingency (tpEmis = 9).
func (k AccessKey) Offline() bool { return k.part(34, 35) == "9" }

// NaturalPerson says that the CNPJ field holds the zero-padded CPF of a natural person: personal data, not to be shown. A
// number that is right both ways ("00000000000191") is a person's only in the series reserved for them, 920 to 969.
func (k AccessKey) NaturalPerson() bool {
	id := k.CNPJ()
	if len(id) != 14 || id[:3] != "000" || !ValidCPF(id[3:]) {
		return false
	}
	return !ValidCNPJ(id) || k.Series() >= 920 && k.Series() <= 969
}

// Grouped is the key in the 11 groups of 4 that paper prints.
func (k AccessKey) Grouped() string {
	var b strings.Builder
	for i := 0; i < len(k); i += 4 {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(k[i:min(i+4, len(k))]))
	}
	return b.String()
}

// atoi is 0 for a field that is missing; ParseAccessKey has seen to it that the others are digits.
func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

// StateOfCode gives the state of an IBGE code ("35" is "SP"), or "".
func StateOfCode(code string) string {
	switch code {
	case "11":
		return "RO"
	case "12":
		return "AC"
	case "13":
		return "AM"
	case "14":
		return "RR"
	case "15":
		return "PA"
	case "16":
		return "AP"
	case "17":
		return "TO"
	case "21":
		return "MA"
	case "22":
		return "PI"
	case "23":
		return "CE"
	case "24":
		return "RN"
	case "25":
		return "PB"
	case "26":
		return "PE"
	case "27":
		return "AL"
	case "28":
		return "SE"
	case "29":
		return "BA"
	case "31":
		return "MG"
	case "32":
		return "ES"
	case "33":
		return "RJ"
	case "35":
		return "SP"
	case "41":
		return "PR"
	case "42":
		return "SC"
	case "43":
		return "RS"
	case "50":
		return "MS"
	case "51":
		return "MT"
	case "52":
		return "GO"
	case "53":
		return "DF"
	}
	return ""
}
