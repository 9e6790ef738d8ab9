package pgtest_test

import (
	"errors"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/pgtest"
)

var pg pgtest.Server

func TestMain(m *testing.M) { os.Exit(pg.Run(m)) }

func TestDatabasesAreSeparate(t *testing.T) {
	t.Parallel()
	a, b := pg.NewDatabase(t), pg.NewDatabase(t)
	require.NotEqual(t, a, b)
	require.NoError(t, run(t, a, "CREATE TABLE x (n int)"))
	require.NoError(t, run(t, b, "CREATE TABLE x (n int)"))
}

func TestCloneHasWhatWasPreparedOnce(t *testing.T) {
	t.Parallel()
	prepared := 0
	prepare := func(url string) error {
		prepared++
		return run(t, url, "CREATE TABLE prepared (n int)")
	}
	for range 3 {
		require.NoError(t, run(t, pg.Clone(t, "one", prepare), "INSERT INTO prepared VALUES (1)"))
	}
	require.Equal(t, 1, prepared)
}

func run(t *testing.T, url, sql string) error {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(t.Context(), sql)
	return errors.Join(err, conn.Close(t.Context()))
}

func TestWhatWasCommittedSurvivesACrash(t *testing.T) {
	t.Parallel()
	own := pgtest.Start(t)
	require.NoError(t, run(t, own.URL, "CREATE TABLE x (n int)"))
	own.Restart(t)
	require.NoError(t, run(t, own.URL, "INSERT INTO x VALUES (1)"))
	own.Freeze()
	own.Thaw()
	own.Crash()
	require.Error(t, run(t, own.URL, "SELECT 1"))
	own.Restart(t)
	require.NoError(t, run(t, own.URL, "DO $$ BEGIN ASSERT (SELECT count(*) = 1 FROM x); END $$"))
}
