package danfe

// The rules of check digits are the official ones. They are here as well as in the host because a plugin is another program.

// mod11 is the check digit of access keys and CNPJs: values are ASCII - 48, weights 2..9 cycle from right to left.
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

func allUpperAlnum(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) && (s[i] < 'A' || s[i] > 'Z') {
			return false
		}
	}
	return true
}

func validCNPJ(s string) bool {
	if len(s) != 14 || !allUpperAlnum(s[:12]) || !allDigits(s[12:]) {
		return false
	}
	return mod11(s[:12]) == s[12] && mod11(s[:13]) == s[13] && s != "00000000000000"
}

func validCPF(s string) bool {
	if len(s) != 11 || !allDigits(s) {
		return false
	}
	equal := true
	for i := range s {
		equal = equal && s[i] == s[0]
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
	return !equal
}

func validGTIN(s string) bool {
	switch len(s) {
	case 8, 12, 13, 14:
	default:
		return false
	}
	if !allDigits(s) {
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

// repairGTIN replaces the one digit whose lookalike makes the check digit right, and leaves the prefix of Brazil alone; "" when
// there is none or more than one way.
func repairGTIN(s string) string {
	found := ""
	b := []byte(s)
	for i := 2; i < len(b); i++ {
		was := b[i]
		for _, c := range []byte(lookalikes(was)) {
			if b[i] = c; validGTIN(string(b)) {
				if found != "" {
					return ""
				}
				found = string(b)
			}
		}
		b[i] = was
	}
	return found
}
