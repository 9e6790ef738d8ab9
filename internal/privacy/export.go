package privacy

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/mercadoesperto/smarket/internal/spending"
)

// about begins dados.json: who opens the file should not need the documentation.
const about = "Todos os dados que o Mercado Esperto guarda sobre você, tabela por tabela. Valores terminados em _centavos são " +
	"centavos de real; _micro, partes de um milhão; horários estão em UTC. CPFs são guardados apenas mascarados. As notas enviadas " +
	"estão na pasta arquivos, pelo id da nota (invoices.id)."

// Export writes a ZIP of everything that is kept of the user: dados.json, compras.csv, and the submitted files. It is written as
// it is read, so its size is not bounded by memory. What was written before an error is no ZIP.
func (s *Service) Export(ctx context.Context, userID string, w io.Writer, now time.Time) error {
	z := zip.NewWriter(w)
	if err := s.exportRows(ctx, userID, z, now); err != nil {
		return err
	}
	if err := s.exportPurchases(ctx, userID, z, now); err != nil {
		return err
	}
	if err := s.exportFiles(ctx, userID, z, now); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("end the archive: %w", err)
	}
	return nil
}

func create(z *zip.Writer, name string, now time.Time) (io.Writer, error) {
	w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: now})
	if err != nil {
		return nil, fmt.Errorf("add %s to the archive: %w", name, err)
	}
	return w, nil
}

// exportRows writes {"sobre": ..., "gerado_em": ..., "tabelas": {"invoices": [{...}, ...], ...}}.
func (s *Service) exportRows(ctx context.Context, userID string, z *zip.Writer, now time.Time) error {
	w, err := create(z, "dados.json", now)
	if err != nil {
		return err
	}
	head, err := json.Marshal(map[string]string{"sobre": about, "gerado_em": now.UTC().Format(time.RFC3339)})
	if err != nil {
		return fmt.Errorf("encode the export: %w", err)
	}
	t := tables{w: w}
	t.print(strings.TrimSuffix(string(head), "}") + `,"tabelas":{`)
	if err := s.Store.Rows(ctx, userID, t.row); err != nil {
		return fmt.Errorf("read an account's rows: %w", err)
	}
	if t.current != "" {
		t.print("\n]")
	}
	t.print("\n}}\n")
	return t.err
}

// tables writes rows as arrays by table.
type tables struct {
	w       io.Writer
	current string
	err     error
}

func (t *tables) print(text string) {
	if t.err == nil {
		_, t.err = io.WriteString(t.w, text)
	}
}

func (t *tables) row(table string, columns map[string]any) error {
	b, err := json.Marshal(columns)
	if err != nil {
		return fmt.Errorf("encode a row of %s: %w", table, err)
	}
	switch {
	case table == t.current:
		t.print(",\n")
	case t.current == "":
		t.print("\n" + strconv.Quote(table) + ":[\n")
	default:
		t.print("\n],\n" + strconv.Quote(table) + ":[\n")
	}
	t.current = table
	t.print(string(b))
	return t.err
}

func (s *Service) exportPurchases(ctx context.Context, userID string, z *zip.Writer, now time.Time) error {
	purchases, err := s.Purchases.Export(ctx, userID, nil)
	if err != nil {
		return fmt.Errorf("read an account's purchases: %w", err)
	}
	w, err := create(z, "compras.csv", now)
	if err != nil {
		return err
	}
	return spending.WriteCSV(w, purchases)
}

func (s *Service) exportFiles(ctx context.Context, userID string, z *zip.Writer, now time.Time) error {
	files, err := s.Store.Files(ctx, userID)
	if err != nil {
		return fmt.Errorf("list an account's files: %w", err)
	}
	for _, f := range files {
		name := path.Join("arquivos", f.InvoiceID, fmt.Sprintf("%d.%s", f.Position+1, strings.ToLower(f.Kind)))
		if err := s.exportFile(ctx, f.BlobKey, name, z, now); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) exportFile(ctx context.Context, key, name string, z *zip.Writer, now time.Time) error {
	r, err := s.Blobs.Open(ctx, key)
	if err != nil {
		// Retention removes old files; their rows say that they were there.
		s.Log.WarnContext(ctx, "a file is missing in an export", "error", err)
		return nil
	}
	defer func() { _ = r.Close() }() // only read
	w, err := create(z, name, now)
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, r); err != nil {
		return fmt.Errorf("add %s to the archive: %w", name, err)
	}
	return nil
}
