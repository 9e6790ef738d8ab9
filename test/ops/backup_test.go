package ops_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/apitest"
)

var rehearse = flag.Int("rehearse", 0, "so many more invoices, each with 20 items and a file of 300 kB")

// TestWhatWasDestroyedComesBack backs a running installation up, destroys its database and its files, and restores them.
func TestWhatWasDestroyedComesBack(t *testing.T) {
	t.Parallel()
	for name, compose := range map[string]bool{"plain": false, "compose": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := install(t)
			in.compose = compose
			address, stop := in.start(t)
			client := apitest.Client{URL: address}
			client.SignUp(t, "ana@example.com")
			ids := in.fill(t, &client)
			in.grow(t, *rehearse)

			begun := time.Now()
			backup := in.backup(t)
			t.Logf("backed up in %s", time.Since(begun).Round(time.Millisecond))
			stop()
			tables, files := in.tables(t), in.files(t)
			require.Len(t, files, len(ids)+*rehearse)

			in.exec(t, "postgres", `DROP DATABASE `+in.name(t)+` WITH (FORCE)`)
			require.NoError(t, os.RemoveAll(in.data))

			begun = time.Now()
			said, code := in.run(t, "restore.sh", []string{"--identity", in.identity})
			require.Zero(t, code, said)
			t.Logf("restored in %s", time.Since(begun).Round(time.Millisecond))
			for table, sum := range in.tables(t) {
				if !moving[table] {
					assert.Equal(t, tables[table], sum, "table %s", table)
				}
			}
			assert.Equal(t, files, in.files(t))
			assert.FileExists(t, filepath.Join(backup, "settings.env.age"))

			address, _ = in.start(t)
			t.Logf("serving again %s after the restore began", time.Since(begun).Round(time.Millisecond))
			again := apitest.Client{URL: address}
			signIn(t, &again, "ana@example.com")
			for _, id := range ids {
				assert.Positive(t, itemsOf(t, &again, id), "an old invoice is readable")
			}
		})
	}
}

// moving is what the server goes on writing between the backup and its end: the leader adds jobs that come round by themselves.
var moving = map[string]bool{
	"worker_heartbeats": true, "river_leader": true, "river_client": true, "river_queue": true, "river_job": true,
}

// fill submits the bundled receipts that are read without a model or Tesseract, and waits until they are.
func (in *installation) fill(t *testing.T, client *apitest.Client) (ids []string) {
	t.Helper()
	for _, name := range []string{"compra-01.xml", "compra-02.xml", "compra-03.pdf", "compra-04.pdf"} {
		data, err := os.ReadFile(filepath.Join("../../internal/receipts/bundled", name))
		require.NoError(t, err)
		sub, res := client.Submit(t, data)
		require.Empty(t, res.Errors)
		ids = append(ids, sub.SubmitInvoice.Invoice.ID)
	}
	for _, id := range ids {
		client.Watch(t, id, 0)
	}
	in.settle(t)
	return ids
}

// settle waits until no job is left: analyses follow the extractions.
func (in *installation) settle(t *testing.T) {
	t.Helper()
	const left = `SELECT count(*) FROM river_job WHERE state NOT IN ('completed', 'cancelled', 'discarded')`
	require.Eventually(t, func() bool { return in.count(t, "", left) == 0 }, time.Minute, 100*time.Millisecond)
}

// tables is a hash of each table's rows.
func (in *installation) tables(t *testing.T) map[string]string {
	t.Helper()
	conn := in.connect(t, "")
	rows, err := conn.Query(t.Context(), `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`)
	require.NoError(t, err)
	var names []string
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		names = append(names, name)
	}
	require.NoError(t, rows.Err())
	sums := map[string]string{}
	for _, name := range names {
		var count int
		var sum string
		query := `SELECT count(*), coalesce(md5(string_agg(t::text, E'\n' ORDER BY t::text)), '') FROM ` + name + ` t`
		require.NoError(t, conn.QueryRow(t.Context(), query).Scan(&count, &sum))
		sums[name] = fmt.Sprintf("%d rows, %s", count, sum)
	}
	require.NoError(t, conn.Close(t.Context()))
	require.NotEmpty(t, sums)
	return sums
}

// files is a hash of each submitted file.
func (in *installation) files(t *testing.T) map[string]string {
	t.Helper()
	root, sums := filepath.Join(in.data, "files"), map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		sum := sha256.Sum256(data)
		sums[strings.TrimPrefix(path, root)] = hex.EncodeToString(sum[:])
		return err
	}))
	return sums
}

func signIn(t *testing.T, client *apitest.Client, email string) {
	t.Helper()
	var out struct {
		SignIn struct{ Session struct{ AccessToken string } }
	}
	client.Query(t, `mutation($input: SignInInput!) { signIn(input: $input) { session { accessToken } } }`,
		map[string]any{"input": map[string]any{"email": email, "password": "correct horse battery"}}, &out)
	client.Token = out.SignIn.Session.AccessToken
}

func itemsOf(t *testing.T, client *apitest.Client, id string) int {
	t.Helper()
	var out struct {
		Invoice struct{ Items []struct{ ID string } }
	}
	client.Query(t, `query($id: ID!) { invoice(id: $id) { items { id } } }`, map[string]any{"id": id}, &out)
	return len(out.Invoice.Items)
}

// seed puts a user, an invoice and a file into an installation without a server, and returns the file's key.
func (in *installation) seed(t *testing.T) (key string) {
	t.Helper()
	const user, invoice, file = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222", "33333333-3333-4333-8333-333333333333"
	key = user + "/" + invoice + "/" + file
	conn := in.connect(t, "")
	_, err := conn.Exec(t.Context(), `INSERT INTO users (id, email, name, password_hash, role, plan, adults, children, consents, created_at, updated_at)
		VALUES ($1, 'ana@example.com', 'Ana', '', 'USER', 'FREE', 1, 0, '[]', now(), now())`, user)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), `INSERT INTO invoices (id, user_id, status, version, run, event_seq, job_id, source, access_key, model, number,
		test_document, protocol, issuer_name, issuer_cnpj, issuer_state, consumer_cpf, discount_centavos, freight_centavos,
		insurance_centavos, other_centavos, taxes_centavos, change_centavos, allow_duplicate, search_text, created_at, updated_at)
		VALUES ($1, $2, 'COMPLETED', 1, 1, 0, 0, '', '', 0, 0, false, '', '', '', '', '', 0, 0, 0, 0, 0, 0, false, '', now(), now())`, invoice, user)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), `INSERT INTO invoice_files (id, invoice_id, user_id, position, kind, size, sha256, blob_key)
		VALUES ($1, $2, $3, 1, 'JPEG', 5, '', $4)`, file, invoice, user, key)
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
	path := filepath.Join(in.data, "files", key)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte("photo"), 0o600))
	return key
}

// grow copies the first invoice so many times, with random bytes for a photo, which do not compress.
func (in *installation) grow(t *testing.T, invoices int) {
	t.Helper()
	if invoices == 0 {
		return
	}
	const copies = `INSERT INTO %[1]s SELECT (jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid()) || %[2]s)).* FROM %[1]s r, `
	conn := in.connect(t, "")
	for _, statement := range []string{
		`CREATE TEMP TABLE copies AS SELECT gen_random_uuid() AS id, n FROM generate_series(1, $1::int) n`,
		fmt.Sprintf(copies, "invoices", `jsonb_build_object('id', c.id, 'idempotency_key', null)`) + `copies c WHERE r.id = (SELECT min(id::text)::uuid FROM invoices)`,
		fmt.Sprintf(copies, "invoice_files", `jsonb_build_object('invoice_id', c.id, 'blob_key', 'copies/' || c.n)`) + `copies c WHERE r.id = (SELECT min(id::text)::uuid FROM invoice_files)`,
		fmt.Sprintf(copies, "invoice_items", `jsonb_build_object('invoice_id', c.id, 'position', p)`) + `copies c, generate_series(1, 20) p WHERE r.id = (SELECT min(id::text)::uuid FROM invoice_items)`,
	} {
		var args []any
		if strings.Contains(statement, "$1") {
			args = append(args, invoices)
		}
		_, err := conn.Exec(t.Context(), statement, args...)
		require.NoError(t, err)
	}
	require.NoError(t, conn.Close(t.Context()))
	dir := filepath.Join(in.data, "files", "copies")
	require.NoError(t, os.MkdirAll(dir, 0o700))
	for n := range invoices {
		var photo bytes.Buffer
		_, err := io.CopyN(&photo, rand.Reader, 300_000)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, strconv.Itoa(n+1)), photo.Bytes(), 0o600))
	}
}
