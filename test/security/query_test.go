package security_test

import (
	"io"
	"net/http"
	"strings"
)

// secretWord stands in bodies that nothing may repeat.
const secretWord = "s3cr3t-in-the-body"

const refused = "200 BAD_USER_INPUT" // of a query that parses: 200 is what application/json calls for

// doubling is fragments that each spread the next one twice: 2^27 fields, in a kilobyte.
func doubling() string {
	const times = 27
	var b strings.Builder
	b.WriteString("query { ...f0 } fragment f27 on Query { __typename } ")
	for i := range times {
		next := "...f" + asJSON(i+1)
		b.WriteString("fragment f" + asJSON(i) + " on Query { " + next + " " + next + " } ")
	}
	return b.String()
}

func aliases(n int, field string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("a" + asJSON(i) + ": " + field + " ")
	}
	return b.String()
}

// refusedWithoutData asks and says whether anything was executed.
func (p *probe) refusedWithoutData(query string) string {
	a := p.ask(query)
	if strings.Contains(a.text, `"data"`) {
		return a.verdict() + " with data"
	}
	return a.verdict()
}

func (p *probe) each(queries ...string) string {
	answers := make([]string, len(queries))
	for i, q := range queries {
		answers[i] = p.refusedWithoutData(q)
	}
	return unique(answers...)
}

func queryAttacks() []attack {
	const repeat = 10
	return []attack{
		{name: "10,000 duplicate fields", expected: refused, alone: true, run: func(p *probe) string {
			return p.costs(repeat, func() string { return p.refusedWithoutData("{ " + strings.Repeat("__typename ", 10_000) + "}") })
		}},
		{name: "fragment doubling 2^27", expected: refused, alone: true, run: func(p *probe) string {
			return p.costs(repeat, func() string { return p.refusedWithoutData(doubling()) })
		}},
		{name: "1,000 aliases", expected: refused, run: func(p *probe) string {
			return p.refusedWithoutData("{ " + aliases(1000, "__typename") + "}")
		}},
		{name: "depth 20, plain or through fragments", expected: refused, run: func(p *probe) string {
			id := `{ invoice(id: "x") { `
			return p.each(
				id+strings.Repeat("duplicateOf { invoice { ", 10)+"id"+strings.Repeat(" } }", 10)+" } }",
				id+"...a } } fragment a on Invoice { "+strings.Repeat("duplicateOf { invoice { ", 5)+"...b"+strings.Repeat(" } }", 5)+
					" } fragment b on Invoice { "+strings.Repeat("duplicateOf { invoice { ", 5)+"id"+strings.Repeat(" } }", 5)+" }",
			)
		}},
		{name: "5,000 directives", expected: refused, run: func(p *probe) string {
			return p.refusedWithoutData("{ __typename " + strings.Repeat("@include(if: true) ", 5000) + "}")
		}},
		{name: "circular introspection", expected: refused, run: func(p *probe) string {
			deep := strings.Repeat("fields { type { ", 6) + "name" + strings.Repeat(" } }", 6)
			return p.each("{ __schema { types { "+deep+" } } }", `{ __type(name: "Query") { `+deep+" } }")
		}},
		{name: "fragment cycle", expected: refused, run: func(p *probe) string {
			return p.each("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }", "{ ...a } fragment a on Query { ...a }")
		}},
		{name: "__schema in production", expected: refused, run: func(p *probe) string {
			return p.each("{ __schema { queryType { name } } }", `{ __type(name: "User") { name } }`,
				`{ a: __schema { types { name } } }`, "query { ...f } fragment f on Query { __schema { types { name } } }")
		}},
		{name: "misspelt field or argument", expected: "refused without a suggestion", run: func(p *probe) string {
			return suggestion(p, "{ viewr { id } }", `{ invoice(idd: "x") { id } }`)
		}},
		{name: "array batch", expected: "400 BAD_USER_INPUT", run: func(p *probe) string {
			return p.post(strings.NewReader(`[{"query":"{ __typename }"},{"query":"{ __typename }"}]`)).verdict()
		}},
		{name: `first of 99999999999, -1, "3"`, expected: refused, run: func(p *probe) string {
			const query = "query($n: Int) { invoices(first: $n) { totalCount } }"
			answers := []string{p.each(
				"{ invoices(first: 99999999999) { totalCount } }", `{ invoices(first: "3") { totalCount } }`,
			)}
			for _, value := range []any{99999999999, "3", 1.5, true} {
				answers = append(answers, p.askWith(query, map[string]any{"n": value}).verdict())
			}
			// -1 is an Int; the resolver refuses it.
			return unique(append(answers, p.ask("{ invoices(first: -1) { totalCount } }").verdict(),
				p.askWith(query, map[string]any{"n": -1}).verdict())...)
		}},
		{name: "JSON nested 200k deep", expected: "400 BAD_USER_INPUT, nothing echoed", run: func(p *probe) string {
			return p.body(`{"variables":{"`+secretWord+`":`+strings.Repeat(`{"a":`, 150_000)) + echo(p)
		}},
		{name: "body over the cap", expected: "413 TOO_LARGE, nothing echoed", run: func(p *probe) string {
			text := `{"query":"` + secretWord + strings.Repeat(" ", 10<<20) + `"}`
			return unique(p.body(text), p.post(io.MultiReader(strings.NewReader(text))).verdict()) + echo(p)
		}},
		{name: "trailing bytes, null, []", expected: "400 BAD_USER_INPUT, nothing echoed", run: func(p *probe) string {
			return unique(p.body(`{"query":"{ __typename }"} `+secretWord), p.body("null"), p.body("[]"), p.body(""),
				p.body(secretWord)) + echo(p)
		}},
		{name: "wrong charset", expected: "415 BAD_USER_INPUT", run: func(p *probe) string {
			var answers []string
			for _, charset := range []string{"iso-8859-1", "utf-16", "utf-7"} {
				answers = append(answers, p.post(strings.NewReader(`{"query":"{ __typename }"}`), "Content-Type", "application/json; charset="+charset).verdict())
			}
			return unique(answers...)
		}},
		{name: "NUL, lone surrogate", expected: "stored or refused, no 5xx", run: oddText},
	}
}

// body posts text, which its answer may not repeat.
func (p *probe) body(text string) string {
	a := p.post(strings.NewReader(text))
	if strings.Contains(a.text, secretWord) {
		return a.verdict() + ", echoed"
	}
	return a.verdict()
}

// echo looks into the log.
func echo(p *probe) string {
	if strings.Contains(p.log(), secretWord) {
		return ", logged"
	}
	return ", nothing echoed"
}

func suggestion(p *probe, queries ...string) string {
	for _, q := range queries {
		a := p.ask(q)
		if a.verdict() != refused {
			return q + ": " + a.verdict()
		}
		if strings.Contains(a.text, "Did you mean") {
			return q + ": " + a.text
		}
	}
	return "refused without a suggestion"
}

// oddText sends what databases and encoders stumble over, wherever a text is taken.
func oddText(p *probe) string {
	for _, raw := range []string{`a\u0000b`, `\ud800`, `\udc00\ud800`, `\u202e`, `\uffff`, `\u0001`} {
		for _, c := range []struct{ query, variables string }{
			{"query($s: String) { invoices(filter: {search: $s}) { totalCount } }", `{"s":"TEXT"}`},
			{"query($s: String) { products(search: $s) { totalCount } }", `{"s":"TEXT"}`},
			{"query($s: ID!) { invoice(id: $s) { id } }", `{"s":"TEXT"}`},
			{"query($s: String) { invoices(after: $s) { totalCount } }", `{"s":"TEXT"}`},
			{
				"mutation($i: SignUpInput!) { signUp(input: $i) { viewer { name } } }",
				`{"i":{"email":"` + strings.ToLower(p.unique()) + `@example.com","password":"` + password + `","name":"Ana TEXT"}}`,
			},
			{"mutation($i: SignInInput!) { signIn(input: $i) { viewer { name } } }", `{"i":{"email":"TEXT@example.com","password":"TEXT"}}`},
			{
				"mutation($i: UpdateProfileInput!) { updateProfile(input: $i) { viewer { id } } }",
				`{"i":{"consents":[{"provider":"TEXT","granted":true}]}}`,
			},
		} {
			body := `{"query":` + asJSON(c.query) + `,"variables":` + strings.ReplaceAll(c.variables, "TEXT", raw) + `}`
			a := request(p.Context(), http.MethodPost, p.url+"/graphql", strings.NewReader(body),
				"Content-Type", "application/json", "Authorization", "Bearer "+member(p.T, p.url).Token)
			switch a.code() {
			case "data", "BAD_USER_INPUT", "NOT_FOUND", "UNAUTHENTICATED":
			default:
				return c.query + " " + raw + ": " + a.verdict()
			}
		}
	}
	return "stored or refused, no 5xx"
}
