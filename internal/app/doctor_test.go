package app_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/graph/relay"
	"github.com/mercadoesperto/smarket/internal/apitest"
	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/doctor"
)

// examine runs the doctor beside whatever runs, on everything however young, and gives what was found by kind.
func examine(t *testing.T, at installation, repair bool) map[doctor.Kind][]doctor.Finding {
	t.Helper()
	d, stop, err := app.OpenDoctor(t.Context(), at.config(t), quiet())
	require.NoError(t, err)
	found := map[doctor.Kind][]doctor.Finding{}
	require.NoError(t, d.Examine(t.Context(), doctor.Options{Repair: repair}, func(f doctor.Finding) {
		found[f.Kind] = append(found[f.Kind], f)
	}))
	require.NoError(t, stop())
	return found
}

// TestTheDoctorFindsAndMendsWhatIsBroken breaks an installation in each way that the doctor knows, then has it mended and goes on.
func TestTheDoctorFindsAndMendsWhatIsBroken(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, at installation) {
		files := t.TempDir()
		at.env = append(slices.Clip(at.env), "BLOB_URL=file://"+files)
		api := at.start(t, app.RoleAPI)
		c := apitest.Client{URL: api.URL()}
		c.SignUp(t, "ana@example.com")
		var ids []string
		for seed := range uint64(4) {
			sub, res := c.Submit(t, xml(t, seed+1))
			require.Empty(t, res.Errors)
			_, id, err := relay.DecodeID(sub.SubmitInvoice.Invoice.ID)
			require.NoError(t, err)
			ids = append(ids, id)
		}
		assert.Empty(t, examine(t, at, true), "what waits for a worker is in order")

		db := api.Database().SQL()
		exec := func(sql string, args ...any) {
			_, err := db.ExecContext(t.Context(), sql, args...)
			require.NoError(t, err)
		}
		exec(`DELETE FROM river_job WHERE id = (SELECT job_id FROM invoices WHERE id = $1)`, ids[0])
		exec(`UPDATE invoices SET event_seq = 0 WHERE id = $1`, ids[1])
		exec(`DELETE FROM invoices WHERE id = $1`, ids[2]) // its job and its file are left
		var key string
		require.NoError(t, db.QueryRowContext(t.Context(), `SELECT blob_key FROM invoice_files WHERE invoice_id = $1`, ids[3]).Scan(&key))
		require.NoError(t, os.Remove(filepath.Join(files, key)))

		want := []doctor.Kind{doctor.InvoiceStuck, doctor.EventsBroken, doctor.JobWithoutRow, doctor.FileWithoutRow, doctor.RowWithoutFile}
		for _, repair := range []bool{false, true} {
			found := examine(t, at, repair)
			assert.Len(t, found, len(want))
			for _, kind := range want {
				require.Len(t, found[kind], 1, kind)
				assert.Equal(t, repair, found[kind][0].Repaired, kind)
			}
		}
		assert.Empty(t, examine(t, at, false))
		stop(t, api)

		c.URL = at.start(t, app.RoleAll).URL()
		for _, id := range ids[:2] {
			events := c.Watch(t, relay.EncodeID(relay.TypeInvoice, id), 0)
			assert.Equal(t, "COMPLETED", events[len(events)-1].Stage)
		}
	})
}

func TestTheDoctorLeavesAloneWhatIsYoung(t *testing.T) {
	t.Parallel()
	at := production(t)
	files := t.TempDir()
	at.env = append(slices.Clip(at.env), "BLOB_URL=file://"+files)
	require.NoError(t, os.WriteFile(filepath.Join(files, "on-its-way"), nil, 0o600))
	d, stop, err := app.OpenDoctor(t.Context(), at.config(t), quiet())
	require.NoError(t, err)
	require.NoError(t, d.Examine(t.Context(), doctor.Options{Repair: true, MinAge: 1 << 40}, func(f doctor.Finding) {
		assert.Fail(t, "found", "%+v", f)
	}))
	require.NoError(t, stop())
	assert.FileExists(t, filepath.Join(files, "on-its-way"))
}
