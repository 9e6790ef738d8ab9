package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/config"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

const demoEmail = "demo@mercadoesperto.example"

// runDemo makes the demo account with the bundled samples, waits until they are read, and says how to go on. At later starts
// everything is there already: the samples carry idempotency keys.
func runDemo(ctx context.Context, a *app.App, cfg config.Config, out io.Writer) error {
	password, err := demoPassword(cfg.Storage.DataDir)
	if err != nil {
		return err
	}
	user, err := demoUser(ctx, a, password)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, sample := range receipts.Bundled() {
		if err := demoInvoice(ctx, a, user.ID, sample, out); err != nil {
			return fmt.Errorf("sample %s: %w", sample.Name, err)
		}
	}
	_, err = fmt.Fprintf(out, `
Mercado Esperto is at %[1]s
  sign in        %[2]s
  password       %[3]s
  API            %[1]s/graphql   (docs/api.md)
  try queries    %[1]s/playground
Ctrl-C stops it; what was read stays in %[4]s.
`, a.URL(), demoEmail, password, cfg.Storage.DataDir)
	return err
}

// demoPassword is made at the first start and kept beside the data it opens.
func demoPassword(dir string) (string, error) {
	path := filepath.Join(dir, "demo-password")
	known, err := os.ReadFile(path) //nolint:gosec // G304: our own data folder
	if err == nil {
		return string(bytes.TrimSpace(known)), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	password := rand.Text()
	return password, os.WriteFile(path, []byte(password+"\n"), 0o600)
}

func demoUser(ctx context.Context, a *app.App, password string) (*account.User, error) {
	user, _, err := a.Accounts.SignIn(ctx, demoEmail, password, "")
	if err == nil {
		return user, nil
	}
	if e, ok := errors.AsType[*account.Error](err); !ok || e.Code != account.CodeUnauthenticated {
		return nil, err
	}
	return a.Accounts.CreateUser(ctx, account.SignUpInput{Email: demoEmail, Password: password, Name: "Família Demonstração"},
		account.RoleUser, account.PlanPremium)
}

// demoInvoice submits one sample and shows how it is read.
func demoInvoice(ctx context.Context, a *app.App, userID string, sample receipts.Sample, out io.Writer) error {
	sub, err := a.Invoices.Submit(ctx, invoice.SubmitInput{
		UserID: userID, IdempotencyKey: "demo-" + sample.Name, AllowDuplicate: true,
		Uploads: []invoice.Upload{{Content: bytes.NewReader(sample.Data)}},
	})
	if err != nil {
		return err
	}
	events, err := a.Invoices.Watch(ctx, userID, sub.Invoice.ID, nil)
	if err != nil {
		return err
	}
	show := progressLine(os.Stderr)
	var last invoice.Event
	for last = range events {
		show.event(last)
	}
	show.clear()
	if err := ctx.Err(); err != nil {
		return err
	}
	inv, err := a.Invoices.Invoice(ctx, userID, sub.Invoice.ID)
	if err != nil {
		return err
	}
	total := "—"
	if inv.Totals.Due != nil {
		total = inv.Totals.Due.String()
	}
	_, err = fmt.Fprintf(out, "%-28s %-12s %3d itens  %14s  %s\n", sample.Name, inv.Status, len(inv.Items), total, last.Message)
	return err
}
