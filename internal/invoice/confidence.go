package invoice

import "math"

// Confidence says, from 0 to 1, how far the figures of a draft can be relied on. It is computed from the ledger alone; what a
// model says of its own certainty is not asked.
//
//	confidence = ceiling(source) × proof × Π (1 − doubt of each failed check)
//	proof      = 0.10 · presence + 0.55 · arithmetic + 0.35 · agreement
//
// Presence, arithmetic and agreement are each the sum of the weights of their rules that passed, at most 1. The weights are
// those of [ledgerRules]: the arithmetic that closes (lines, sum, amount due, payments) and the key that agrees prove most,
// since a misread digit breaks them; a note need not have every figure to reach 1. Where no arithmetic passed, proof is at
// most 0.30, whatever else agrees. Sources that are exact (XML, SEFAZ) need no proof: theirs is 1 as soon as anything passed,
// so that all passed gives 1. The answer is rounded to four decimals.
//
// A rule that failed on any line has not passed, and each line adds its doubt. So one more failed check, in addition or in
// place of a passed one, never raises the confidence.
func Confidence(checks []Check, source Source) float64 {
	passed, failed := map[CheckName]int{}, map[CheckName]int{}
	for _, c := range checks {
		if c.Passed {
			passed[c.Name]++
		} else {
			failed[c.Name]++
		}
	}
	var weights [3]int // percent, by proofKind
	trust, known, anyPassed := 1.0, 0, false
	for _, r := range ledgerRules() { // in the table's order, not the map's: a sum of floats depends on it
		known += failed[r.name]
		for range min(failed[r.name], mostFailures) {
			trust *= 1 - float64(r.doubt)/100
		}
		if passed[r.name] > 0 && failed[r.name] == 0 {
			weights[r.kind] += r.weight
			anyPassed = true
		}
	}
	unknown := -known // rules that the table does not have: a mistake there must not look like trust
	for _, n := range failed {
		unknown += n
	}
	for range min(unknown, mostFailures) {
		trust *= 1 - unknownDoubt/100.0
	}
	ceiling, exact := sourceCeiling(source)
	proof := proofOf(weights)
	if exact && anyPassed {
		proof = 1
	}
	return math.Round(ceiling*proof*trust*10_000) / 10_000
}

const (
	// mostFailures of one rule are counted: after so many nothing is left to lose.
	mostFailures = 100
	// unknownDoubt is the doubt of a failed check that is not in the table, in percent.
	unknownDoubt = 10
	// unproven is the most that a reading is worth in which no arithmetic closes, in percent.
	unproven = 30
)

func proofOf(weights [3]int) float64 {
	share := func(k proofKind) int { return min(weights[k], 100) }
	proof := 10*share(presence) + 55*share(arithmetic) + 35*share(agreement) // in hundredths of a percent
	if weights[arithmetic] == 0 {
		proof = min(proof, unproven*100)
	}
	return float64(proof) / 10_000
}

// sourceCeiling is the most that a source is worth: what the ledger does not see, such as a description, can still be misread.
func sourceCeiling(source Source) (ceiling float64, exact bool) {
	switch source {
	case SourceXML, SourceSefaz:
		return 1, true
	case SourcePDF, SourceManual:
		return 0.99, false
	case SourceModel:
		return 0.97, false
	case SourceOCR:
		return 0.95, false
	}
	return 0.90, false
}

// proofKind is what a rule proves when it passes.
type proofKind int

const (
	presence   proofKind = iota // there is something to check
	arithmetic                  // figures that were read apart from each other close
	agreement                   // what identifies the note agrees with its key, its code and its own digits
)

// ledgerRule is how much a rule of the ledger tells.
type ledgerRule struct {
	name   CheckName
	kind   proofKind
	weight int // percent of its kind that it proves by passing
	doubt  int // percent of the confidence that each failure takes away
}

// ledgerRules weighs every rule. Lines, sum, amount due and payments of a plain paper note make the whole of arithmetic; its
// key with the number, date and issuer the whole of agreement.
func ledgerRules() []ledgerRule {
	return []ledgerRule{
		{CheckHasItems, presence, 50, 90},
		{CheckHasAmountDue, presence, 50, 60},
		{CheckAmountSign, presence, 0, 25},

		{CheckItemTotal, arithmetic, 30, 15},
		{CheckProductsTotal, arithmetic, 35, 35},
		{CheckDiscountTotal, arithmetic, 10, 15},
		{CheckAmountDue, arithmetic, 20, 35},
		{CheckPayments, arithmetic, 15, 20},
		{CheckQRAmount, arithmetic, 30, 35},

		{CheckAccessKey, agreement, 35, 30},
		{CheckKeyIssuer, agreement, 20, 20},
		{CheckKeyNumber, agreement, 15, 15},
		{CheckKeyDate, agreement, 15, 20},
		{CheckKeySeries, agreement, 5, 10},
		{CheckKeyModel, agreement, 5, 10},
		{CheckKeyState, agreement, 5, 10},
		{CheckQRKey, agreement, 30, 35},
		{CheckQRDay, agreement, 5, 15},
		{CheckQRState, agreement, 5, 20},
		{CheckItemCount, agreement, 20, 25},
		{CheckIssuerCNPJ, agreement, 10, 10},
		{CheckItemGTIN, agreement, 5, 5},
		{CheckIssueDate, agreement, 5, 20},
		{CheckRealDocument, agreement, 0, 50},
		{CheckOfficialRecord, agreement, 0, 90},
	}
}
