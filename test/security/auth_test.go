package security_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/mercadoesperto/smarket/graph/generated"
	"github.com/mercadoesperto/smarket/graph/relay"
	"github.com/mercadoesperto/smarket/internal/apitest"
)

const viewerQuery = "{ invoices { totalCount } }" // which needs somebody

// claims are what a token says.
func (p *probe) claims(token string) jwt.MapClaims {
	p.Helper()
	claims := jwt.MapClaims{}
	_, _, err := jwt.NewParser().ParseUnverified(token, claims)
	require.NoError(p, err)
	return claims
}

// forge is the token with other claims, signed as the service does; a claim that becomes nil is taken away.
func (p *probe) forge(token string, change map[string]any) string {
	p.Helper()
	return p.forgeWith(jwt.SigningMethodHS256, []byte(tokenSecret), token, change)
}

func (p *probe) forgeWith(method jwt.SigningMethod, key any, token string, change map[string]any) string {
	p.Helper()
	claims := p.claims(token)
	maps.Copy(claims, change)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	forged, err := jwt.NewWithClaims(method, claims).SignedString(key)
	require.NoError(p, err)
	known.add(forged)
	return forged
}

// asked is what a token is answered, everywhere it can be shown.
func (p *probe) asked(token string) string {
	p.Helper()
	sse := p.post(strings.NewReader(allSubscription), "Accept", "text/event-stream", "Authorization", "Bearer "+token)
	socket := p.open("graphql-transport-ws")
	socket.send(`{"type":"connection_init","payload":{"Authorization":"Bearer ` + token + `"}}`)
	if code := socket.closeCode(); code != 4403 {
		return fmt.Sprint("websocket: ", code)
	}
	if !strings.Contains(sse.text, "UNAUTHENTICATED") {
		return "SSE: " + sse.text
	}
	return p.ask(viewerQuery, "Authorization", "Bearer "+token).code()
}

func authAttacks() []attack {
	forged := func(name string, changes ...map[string]any) attack {
		return attack{name: name, expected: "UNAUTHENTICATED", run: func(p *probe) string {
			require.Equal(p, "data", p.ask(viewerQuery, "Authorization", "Bearer "+p.forge(p.ana.Token, nil)).code(), "what is changed is good")
			var answers []string
			for _, c := range changes {
				answers = append(answers, p.asked(p.forge(p.ana.Token, c)))
			}
			return unique(answers...)
		}}
	}
	return []attack{
		{name: "JWT alg:none", expected: "UNAUTHENTICATED", run: func(p *probe) string {
			return p.asked(p.forgeWith(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, p.ana.Token, nil))
		}},
		{name: "JWT with a swapped algorithm", expected: "UNAUTHENTICATED", run: func(p *probe) string {
			return unique(p.asked(p.forgeWith(jwt.SigningMethodHS512, []byte(tokenSecret), p.ana.Token, nil)),
				p.asked(p.forgeWith(jwt.SigningMethodHS384, []byte(tokenSecret), p.ana.Token, nil)),
				p.asked(p.forgeWith(jwt.SigningMethodHS256, []byte("another secret of the right length, 32 bytes"), p.ana.Token, nil)))
		}},
		forged("JWT without exp, or expired", map[string]any{"exp": nil}, map[string]any{"exp": time.Now().Add(-time.Minute).Unix()}),
		forged("JWT with a wrong aud or iss", map[string]any{"aud": "smarket-file"}, map[string]any{"aud": nil}, map[string]any{"iss": "another"}, map[string]any{"iss": nil}),
		forged("JWT with a future nbf", map[string]any{"nbf": time.Now().Add(time.Hour).Unix()}, map[string]any{"nbf": nil}),
		forged("JWT of another user's or an unknown session", map[string]any{"sub": uuid.NewString()}, map[string]any{"sid": uuid.NewString()}, map[string]any{"sid": nil}),
		{name: "sign-in with an unknown and a known e-mail", expected: "UNAUTHENTICATED in the same words and time", alone: true, run: sameTime},
		{name: "100 sign-ins at once", expected: "answered, memory grew by less than 150 MB", alone: true, run: crowd},
		{name: "100 sign-ins at once, limited", expected: "429 RATE_LIMITED after at most 40", run: func(p *probe) string {
			own := start(p.T, "RATE_LIMIT_ENABLED=true")
			answers := p.signIns(own.url, 100, nil)
			tried := 0
			for _, a := range answers {
				switch a.verdict() {
				case "200 UNAUTHENTICATED":
					tried++
				case "429 RATE_LIMITED":
				default:
					return a.verdict()
				}
			}
			const most = 40
			p.note = fmt.Sprintf("%d of 100 tried", tried)
			if tried > most || tried == 0 {
				return p.note
			}
			return fmt.Sprintf("429 RATE_LIMITED after at most %d", most)
		}},
		{name: "reuse of a refresh token", expected: "UNAUTHENTICATED, the family is revoked", run: reuse},
		{name: "another user's id in every query and mutation", expected: "the same as missing", run: foreignIDs},
	}
}

func (p *probe) signIn(url, email, secret string, headers ...string) answer {
	body := asJSON(map[string]any{
		"query":     "mutation($i: SignInInput!) { signIn(input: $i) { viewer { id } } }",
		"variables": map[string]any{"i": map[string]any{"email": email, "password": secret}},
	})
	return request(p.Context(), http.MethodPost, url+"/graphql", strings.NewReader(body), append([]string{"Content-Type", "application/json"}, headers...)...)
}

// signIns tries n passwords at once.
func (p *probe) signIns(url string, n int, headers func(i int) []string) []answer {
	answers := make([]answer, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			var more []string
			if headers != nil {
				more = headers(i)
			}
			answers[i] = p.signIn(url, "nobody@example.com", "a password of somebody", more...)
		})
	}
	wg.Wait()
	return answers
}

// sameTime measures by what the process spends: a clock on the wall would tell of the machine's load instead.
func sameTime(p *probe) string {
	const tries = 20
	_, email := memberAs(p.T, p.url)
	spent := func(email string) (time.Duration, string) {
		before := p.cpu(p.T)
		var texts []string
		for range tries {
			texts = append(texts, p.signIn(p.url, email, "not the password of anybody").text)
		}
		return (p.cpu(p.T) - before) / tries, unique(texts...)
	}
	one, words := spent(email)
	other, otherWords := spent("nobody-at-all@example.com")
	p.note = fmt.Sprintf("%v and %v of CPU", one, other)
	if words != otherWords || !strings.Contains(words, "UNAUTHENTICATED") {
		return words + otherWords
	}
	const leeway = 2
	if one > leeway*other || other > leeway*one || one == 0 {
		return "in other times: " + p.note
	}
	return "UNAUTHENTICATED in the same words and time"
}

// crowd hashes 100 passwords: each takes 19 MiB, so that they must wait for one another.
func crowd(p *probe) string {
	before := p.memory(p.T)
	for _, a := range p.signIns(p.url, 100, nil) {
		if v := a.verdict(); v != "200 UNAUTHENTICATED" && v != "200 UNAVAILABLE" {
			return v
		}
	}
	grown := (p.memory(p.T) - before) >> 20
	p.note = fmt.Sprintf("memory grew by %d MB", grown)
	const most = 150
	if grown >= most {
		return p.note
	}
	return fmt.Sprintf("answered, memory grew by less than %d MB", most)
}

func reuse(p *probe) string {
	_, email := memberAs(p.T, p.url)
	type tokens struct{ AccessToken, RefreshToken string }
	c := apitest.Client{URL: p.url}
	var in struct{ SignIn struct{ Session tokens } }
	c.Query(p.T, "mutation($i: SignInInput!) { signIn(input: $i) { session { accessToken refreshToken } } }",
		map[string]any{"i": map[string]any{"email": email, "password": password}}, &in)
	refresh := func(token string) (tokens, string) {
		var out struct{ RefreshSession struct{ Session tokens } }
		known.add(token)
		res := c.Query(p.T, "mutation($i: RefreshSessionInput!) { refreshSession(input: $i) { session { accessToken refreshToken } } }",
			map[string]any{"i": map[string]any{"refreshToken": token}}, nil)
		if res.Code() == "" {
			require.NoError(p, jsonInto(res.Data, &out))
		}
		known.add(out.RefreshSession.Session.AccessToken)
		return out.RefreshSession.Session, res.Code()
	}
	next, code := refresh(in.SignIn.Session.RefreshToken)
	if code != "" {
		return code
	}
	_, thief := refresh(in.SignIn.Session.RefreshToken)
	_, owner := refresh(next.RefreshToken)
	access := p.ask(viewerQuery, "Authorization", "Bearer "+next.AccessToken).code()
	return unique(thief, owner, access) + ", the family is revoked"
}

// foreignIDs asks every field that takes an id for things of Ana's as Bia, and for things that never were: the schema says which
// fields, so that a new one cannot be forgotten.
func foreignIDs(p *probe) string {
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	ids := p.belongings()
	require.Equal(p, "data", p.askWith("query($id: ID!) { invoice(id: $id) { id status } }", map[string]any{"id": ids[relay.TypeInvoice]}).code())
	before := p.askWith("query($id: ID!) { invoice(id: $id) { status version items { id } } }", map[string]any{"id": ids[relay.TypeInvoice]}).text
	tried := 0
	for _, root := range []*ast.Definition{schema.Query, schema.Mutation, schema.Subscription} {
		for _, field := range root.Fields {
			if strings.HasPrefix(field.Name, "__") || !takesID(schema, field) {
				continue
			}
			for typ, id := range ids {
				query := func(id string) string { return document(schema, root, field, id) }
				missing := relay.EncodeID(typ, uuid.NewString())
				one, other := p.asBia(query(id)), p.asBia(query(missing))
				tried++
				if strings.ReplaceAll(one, id, "ID") != strings.ReplaceAll(other, missing, "ID") {
					return fmt.Sprintf("%s of %s: %s but %s", field.Name, typ, one, other)
				}
			}
		}
	}
	after := p.askWith("query($id: ID!) { invoice(id: $id) { status version items { id } } }", map[string]any{"id": ids[relay.TypeInvoice]}).text
	require.Equal(p, before, after, "nothing was changed")
	p.note = fmt.Sprintf("%d requests", 2*tried)
	return "the same as missing"
}

func (p *probe) asBia(query string) string {
	headers := []string{"Authorization", "Bearer " + p.bia.Token}
	if strings.HasPrefix(query, "subscription") {
		headers = append(headers, "Accept", "text/event-stream")
	}
	a := p.ask(query, headers...)
	return fmt.Sprint(a.status, a.text)
}

// belongings are ids of things of Ana's, one of each type.
func (p *probe) belongings() map[string]string {
	p.Helper()
	var out struct {
		Viewer  struct{ ID string }
		Invoice struct {
			ID           string
			Items, Files []struct{ ID string }
		}
		Products struct{ Nodes []struct{ ID string } }
	}
	p.ana.Query(p.T, "query($id: ID!) { viewer { id } invoice(id: $id) { id items { id } files { id } } products { nodes { id } } }",
		map[string]any{"id": p.invoice}, &out)
	ids := map[string]string{
		relay.TypeUser: out.Viewer.ID, relay.TypeInvoice: out.Invoice.ID, relay.TypeItem: out.Invoice.Items[0].ID, relay.TypeFile: out.Invoice.Files[0].ID,
	}
	if len(out.Products.Nodes) > 0 {
		ids[relay.TypeProduct] = out.Products.Nodes[0].ID
	}
	return ids
}

// takesID says whether an argument of the field is an id, or holds one.
func takesID(schema *ast.Schema, field *ast.FieldDefinition) bool {
	return slices.ContainsFunc(field.Arguments, func(a *ast.ArgumentDefinition) bool { return holdsID(schema, a.Type) })
}

func holdsID(schema *ast.Schema, t *ast.Type) bool {
	d := schema.Types[t.Name()]
	return t.Name() == "ID" || d.Kind == ast.InputObject &&
		slices.ContainsFunc(d.Fields, func(f *ast.FieldDefinition) bool { return holdsID(schema, f.Type) })
}

// document is an operation of the field alone, with the id wherever one is taken and something plausible where something must be.
func document(schema *ast.Schema, root *ast.Definition, field *ast.FieldDefinition, id string) string {
	var args []string
	for _, a := range field.Arguments {
		if a.Type.NonNull || holdsID(schema, a.Type) {
			args = append(args, a.Name+": "+literal(schema, a.Type, id))
		}
	}
	selection := ""
	if d := schema.Types[field.Type.Name()]; d.IsCompositeType() {
		selection = " { __typename }"
	}
	return strings.ToLower(root.Name) + " { " + field.Name + "(" + strings.Join(args, ", ") + ")" + selection + " }"
}

func literal(schema *ast.Schema, t *ast.Type, id string) string {
	if t.Elem != nil {
		return "[" + literal(schema, t.Elem, id) + "]"
	}
	switch t.Name() {
	case "ID":
		return asJSON(id)
	case "Int":
		return "1"
	case "Boolean":
		return "true"
	case "Decimal":
		return `"1"`
	case "Date":
		return `"2026-01-01"`
	case "DateTime":
		return `"2026-01-01T12:00:00-03:00"`
	}
	switch d := schema.Types[t.Name()]; d.Kind {
	case ast.Enum:
		return d.EnumValues[0].Name
	case ast.InputObject:
		var fields []string
		for _, f := range d.Fields {
			if f.Type.NonNull || holdsID(schema, f.Type) {
				fields = append(fields, f.Name+": "+literal(schema, f.Type, id))
			}
		}
		return "{" + strings.Join(fields, ", ") + "}"
	default:
		return `"x"`
	}
}
