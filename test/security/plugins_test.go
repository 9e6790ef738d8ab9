package security_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/internal/receipts"
	"github.com/mercadoesperto/smarket/providers"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

const evilKey = "ev1l-key-that-a-plugin-tells-the-world"

func pluginAttacks() []attack {
	replying := func(name string, b llmstub.Behaviour) attack {
		return attack{name: name, expected: "rejected or flagged", alone: true, run: func(p *probe) string { return p.answered(b) }}
	}
	figure := func(due, price, total string) llmstub.Behaviour {
		return llmstub.Behaviour{Reply: new(asJSON(sdk.Receipt{
			IssuerName: "Mercado", Due: due, Items: []sdk.ReceiptItem{{Description: "Arroz", Quantity: "1", UnitPrice: price, Total: total}},
			Payments: []sdk.ReceiptPayment{{Method: "CASH", Amount: due}},
		}))}
	}
	return []attack{
		{name: "a receipt that gives orders", expected: "NEEDS_REVIEW, with a schema, nobody else was called", alone: true, run: injected},
		replying("a reply of 5 MB", llmstub.Behaviour{Fault: llmstub.FaultHuge}),
		replying("a reply that is no JSON", llmstub.Behaviour{Fault: llmstub.FaultInvalidJSON}),
		replying("a reply with NaN", figure("NaN", "NaN", "NaN")),
		replying("a reply with NaN as a number", llmstub.Behaviour{Reply: new(`{"items":[{"description":"x","quantity":NaN}],"due":Infinity}`)}),
		replying("a reply with a negative price", figure("-5.00", "-5.00", "-5.00")),
		replying("a reply with a figure of 400 digits", figure(strings.Repeat("9", 400), "1e400", "1e400")),
		{name: "a reply with script text", expected: "text, never markup", run: script},
		{name: "base URL at a link-local, metadata or private address", expected: "refused at dial time", run: func(p *probe) string {
			for _, address := range []string{
				"https://169.254.169.254/", "https://[fe80::1]/", "https://[fd00:ec2::254]/", "https://10.0.0.1/", "https://192.168.0.1:8443/",
				"https://0.0.0.0/", "https://[::ffff:169.254.169.254]/", "https://100.100.100.200/",
			} {
				out, failed := verified(p.T, "GEMINI_BASE_URL="+address)
				if !failed || !strings.Contains(out, "refused") {
					return address + ": " + out
				}
			}
			return "refused at dial time"
		}},
		{name: "base URL of plain http to another host", expected: "not started", run: func(p *probe) string {
			out, failed := verified(p.T, "GEMINI_BASE_URL=http://169.254.169.254/")
			if !failed || !strings.Contains(out, "plain http") {
				return out
			}
			return "not started"
		}},
		{name: "a redirect to another host", expected: "FAILED, nobody else was called", alone: true, run: func(p *probe) string {
			p.stub.Always(llmstub.Gemini, &llmstub.Behaviour{Fault: llmstub.FaultRedirect})
			defer p.stub.Always(llmstub.Gemini, nil)
			before := p.stub.Count(llmstub.Elsewhere)
			stage := p.ends(p.ana, p.upload(p.ana, p.photo(201), "x.jpg", "image/jpeg").submitted(p.T))
			if p.stub.Count(llmstub.Elsewhere) != before {
				return stage + ", followed"
			}
			return stage + ", nobody else was called"
		}},
		{name: "checksum mismatch", expected: "not started", run: tampered},
		{name: "API key in a plugin's panic", expected: "FAILED, the key is nowhere", run: telling},
		{name: "a plugin that is frozen", expected: "replaced, then COMPLETED", run: frozen},
	}
}

// answered has the model answer a photo so.
func (p *probe) answered(b llmstub.Behaviour) string {
	p.Helper()
	p.stub.Always(llmstub.Gemini, &b)
	defer p.stub.Always(llmstub.Gemini, nil)
	stage := p.ends(p.ana, p.upload(p.ana, p.photo(uint64(300+len(p.stub.Calls()))), "x.jpg", "image/jpeg").submitted(p.T))
	p.note = stage
	if stage == "FAILED" || stage == "NEEDS_REVIEW" {
		return "rejected or flagged"
	}
	return stage
}

func injected(p *probe) string {
	p.stub.Always(llmstub.Gemini, &llmstub.Behaviour{Fault: llmstub.FaultInjected})
	defer p.stub.Always(llmstub.Gemini, nil)
	before := len(p.stub.Calls())
	got := p.ends(p.ana, p.upload(p.ana, p.photo(202), "x.jpg", "image/jpeg").submitted(p.T))
	got += ", with a schema"
	for _, call := range p.stub.Calls()[before:] {
		if !call.Schema || call.Vendor != llmstub.Gemini {
			return got + ", but " + asJSON(call)
		}
	}
	return got + ", nobody else was called"
}

func script(p *probe) string {
	const code = "<script>fetch('//evil.example')</script>"
	data := p.photo(203, func(r *receipts.Receipt) { r.Items[0].Product.Description = code })
	id := p.upload(p.ana, data, "x.jpg", "image/jpeg").submitted(p.T)
	p.note = p.ends(p.ana, id)
	a := p.askWith("query($id: ID!) { invoice(id: $id) { status items { description } } }", map[string]any{"id": id})
	switch {
	case a.code() != "data":
		return a.verdict()
	case strings.Contains(a.text, "<script"), !strings.HasPrefix(a.header.Get("Content-Type"), "application/json"), a.header.Get("X-Content-Type-Options") != "nosniff":
		return a.text
	}
	return "text, never markup"
}

// verified runs smarket plugins verify, which calls the vendor through the plugin.
func verified(t *testing.T, more ...string) (output string, failed bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "smarket"), "plugins", "verify")
	cmd.Env = append(environ(t.TempDir(), "GEMINI_API_KEY="+geminiKey), more...)
	out, err := cmd.CombinedOutput()
	require.NotContains(t, string(out), geminiKey)
	exit, ok := errors.AsType[*exec.ExitError](err)
	return string(out), ok && exit.ExitCode() == 1
}

func tampered(p *probe) string {
	dir := p.TempDir()
	data, err := os.ReadFile(filepath.Join(bin, "plugins", "smarket-provider-gemini"))
	require.NoError(p, err)
	plugin := filepath.Join(dir, "smarket-provider-gemini")
	require.NoError(p, os.WriteFile(plugin, data, 0o700))
	_, err = providers.Trust(dir)
	require.NoError(p, err)
	require.NoError(p, os.WriteFile(plugin, append(data, 0), 0o700))
	own := start(p.T, withGemini(p.stub, "PLUGIN_DIR="+dir)...)
	line := own.await(p.T, func(l string) bool { return strings.Contains(l, "plugin refused") })
	if !strings.Contains(line, "does not match plugins.sum") || own.plugin(p.T, "gemini") != 0 {
		return line
	}
	return "not started"
}

// telling has the plugin panic with its key, and print it.
func telling(p *probe) string {
	known.add(evilKey)
	own := start(p.T, "PLUGIN_DIR="+filepath.Join(bin, "evil"), "PROVIDER_ORDER=evil", "EVIL_API_KEY="+evilKey, "BUDGET_USER_DAILY_USD=0", "BUDGET_DAILY_USD=0")
	own.mayPanic = true
	at := &probe{T: p.T, server: own, stub: p.stub}
	eve := member(p.T, own.url)
	id := at.upload(eve, p.photo(204), "x.jpg", "image/jpeg").submitted(p.T)
	stage := at.ends(eve, id)
	own.await(p.T, func(l string) bool { return strings.Contains(l, "the key is [redacted]") })
	a := at.askWith("query($id: ID!) { invoice(id: $id) { failure { code message } attempts { outcome } } }", map[string]any{"id": id}, "Authorization", "Bearer "+eve.Token)
	for where, text := range map[string]string{"log": own.log(), "answer": a.text, "database": own.database(p.T)} {
		if strings.Contains(text, evilKey) || strings.Contains(text, "529.982.247-25") {
			return "told in the " + where
		}
	}
	return stage + ", the key is nowhere"
}

func frozen(p *probe) string {
	own := start(p.T, withGemini(p.stub)...)
	before := own.plugin(p.T, "gemini")
	require.NotZero(p, before)
	require.NoError(p, syscall.Kill(before, syscall.SIGSTOP))
	own.await(p.T, func(l string) bool { return strings.Contains(l, "plugin down") })
	own.await(p.T, func(l string) bool {
		return strings.Contains(l, "plugin running") && own.plugin(p.T, "gemini") != before
	})
	at := &probe{T: p.T, server: own, stub: p.stub}
	eve := member(p.T, own.url)
	return "replaced, then " + at.ends(eve, at.upload(eve, p.photo(205), "x.jpg", "image/jpeg").submitted(p.T))
}
