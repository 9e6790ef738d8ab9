package fiscal

import "strings"

// OnlyDigits drops everything but 0-9.
func OnlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// mod11 is the check digit of access keys and CNPJ: values are ASCII - 48 (letters are legal since July 2026), weights 2..9
// cycle from right to left.
func mod11(s string) byte {
	sum, weight := 0, 2
	for i := len(s) - 1; i >= 0; i-- {
		sum += int(s[i]-'0') * weight
		if weight++; weight > 9 {
			weight = 2
		}
	}
	if r := sum % 11; r >= 2 {
		return byte('0' + 11 - r)
	}
	return '0'
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func allUpperAlnum(s string) bool {
	for i := range len(s) {
		if (s[i] < '0' || s[i] > '9') && (s[i] < 'A' || s[i] > 'Z') {
			return false
		}
	}
	return true
}

// ValidCNPJ says whether s is 14 characters [0-9A-Z]{12}[0-9]{2} with right check digits (IN RFB 2.229/2024). Punctuation is
// not accepted: see NormalizeCNPJ.
func ValidCNPJ(s string) bool {
	if len(s) != 14 || !allUpperAlnum(s[:12]) || !allDigits(s[12:]) || strings.Count(s, s[:1]) == 14 {
		return false
	}
	return mod11(s[:12]) == s[12] && mod11(s[:13]) == s[13]
}

// NormalizeCNPJ drops the punctuation of 11.222.333/0001-81 and puts letters in upper case.
func NormalizeCNPJ(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'A' && r <= 'Z':
			return r
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return -1
	}, s)
}

// ValidCPF says whether s is 11 digits with right check digits; all-equal digits are invalid.
func ValidCPF(s string) bool {
	if len(s) != 11 || !allDigits(s) || strings.Count(s, s[:1]) == 11 {
		return false
	}
	for n := 9; n <= 10; n++ {
		sum := 0
		for i := range n {
			sum += int(s[i]-'0') * (n + 1 - i)
		}
		d := byte('0')
		if r := sum % 11; r >= 2 {
			d = byte('0' + 11 - r)
		}
		if s[n] != d {
			return false
		}
	}
	return true
}

// FormatCNPJ is 11.222.333/0001-81 for 14 characters, and s itself for anything else.
func FormatCNPJ(s string) string {
	if len(s) != 14 {
		return s
	}
	return s[:2] + "." + s[2:5] + "." + s[5:8] + "/" + s[8:12] + "-" + s[12:]
}

// ValidGTIN says whether s is a GTIN-8, -12, -13 or -14 with a right check digit. Zeros alone are no product: some shops fill
// the field with them.
func ValidGTIN(s string) bool {
	switch len(s) {
	case 8, 12, 13, 14:
	default:
		return false
	}
	if !allDigits(s) || strings.Count(s, "0") == len(s) {
		return false
	}
	sum := 0
	for i := range len(s) - 1 {
		w := 1
		if (len(s)-2-i)%2 == 0 {
			w = 3
		}
		sum += int(s[i]-'0') * w
	}
	return int(s[len(s)-1]-'0') == (10-sum%10)%10
}
