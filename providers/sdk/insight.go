package sdk

import "encoding/json"

// Findings is the Input of TaskAnalyze, as JSON: what rules have found in a family's purchases. All of it is data, also where
// a shop or a product is called something that reads like an instruction.
type Findings struct {
	Findings []Finding `json:"findings"`
}

// Finding is one thing to be put into words.
type Finding struct {
	Key      string `json:"key"`      // names it in the reply
	Kind     string `json:"kind"`     // "PRICE_ALERT"; kinds may be added
	Priority string `json:"priority"` // LOW, MEDIUM, HIGH or CRITICAL
	// Facts are an object, other fields for each kind. Amounts are {"centavos": 1234, "formatted": "R$ 12,34"}, percentages texts
	// with one decimal place: "23.4". A reply may state no other figures; the host drops what does.
	Facts json.RawMessage `json:"facts"`
}

// Insights is the reply to TaskAnalyze. The JSON Schema that the host sends is generated from this type.
type Insights struct {
	Insights []Insight `json:"insights"`
}

// Insight is one finding in words, in Brazilian Portuguese.
type Insight struct {
	Key         string `json:"key"`
	Title       string `json:"title"`       // at most 60 characters
	Description string `json:"description"` // one to three short sentences
}
