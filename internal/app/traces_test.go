package app_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/schema"
)

// traces is everything that a service has written down: rows, keys and files, by where they are.
func traces(t *testing.T, a *app.App, dir string) map[string][]string {
	t.Helper()
	all := databaseRows(t, a)
	all["redis"] = redisValues(t, a)
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			all["folders"] = append(all["folders"], path)
			return err
		}
		data, err := os.ReadFile(path)
		all["file "+path] = []string{path, string(data)}
		return err
	}))
	return all
}

// databaseRows are the rows of every table of the database, the queue's too, as text.
func databaseRows(t *testing.T, a *app.App) map[string][]string {
	t.Helper()
	db, all := a.Database(), map[string][]string{}
	catalogue, row := `SELECT name FROM sqlite_master WHERE type = 'table'`, `*`
	if db.Dialect() == schema.Postgres {
		catalogue, row = `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`, `t::text`
	}
	names := texts(t, a, catalogue)
	require.Contains(t, names, "river_job")
	for _, name := range names {
		all[name] = texts(t, a, `SELECT `+row+` FROM "`+name+`" AS t`)
	}
	return all
}

// texts are the rows of a query, each as one text.
func texts(t *testing.T, a *app.App, query string) []string {
	t.Helper()
	rows, err := a.Database().SQL().QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer func() { assert.NoError(t, rows.Close()) }()
	columns, err := rows.Columns()
	require.NoError(t, err)
	var list []string
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		require.NoError(t, rows.Scan(into...))
		var parts []string
		for _, v := range values {
			if b, ok := v.([]byte); ok {
				v = string(b)
			}
			parts = append(parts, fmt.Sprint(v))
		}
		list = append(list, strings.Join(parts, " "))
	}
	require.NoError(t, rows.Err())
	return list
}

// redisValues are all keys with what is under them, unpacked.
func redisValues(t *testing.T, a *app.App) (list []string) {
	t.Helper()
	client, ctx := a.Redis(), t.Context()
	decoder, err := zstd.NewReader(nil)
	require.NoError(t, err)
	defer decoder.Close()
	keys := client.Scan(ctx, 0, "*", 100).Iterator()
	for keys.Next(ctx) {
		key := keys.Val()
		kind, err := client.Type(ctx, key).Result()
		require.NoError(t, err)
		var values []string
		switch kind {
		case "none": // expired meanwhile
		case "string":
			if value, err := client.Get(ctx, key).Result(); err == nil {
				values = []string{value}
				if clear, err := decoder.DecodeAll([]byte(value), nil); err == nil {
					values = append(values, string(clear))
				}
			}
		case "set":
			values, err = client.SMembers(ctx, key).Result()
			require.NoError(t, err)
		case "hash":
			fields, err := client.HGetAll(ctx, key).Result()
			require.NoError(t, err)
			values = append(values, fmt.Sprint(fields))
		case "list":
			values, err = client.LRange(ctx, key, 0, -1).Result()
			require.NoError(t, err)
		case "zset":
			values, err = client.ZRange(ctx, key, 0, -1).Result()
			require.NoError(t, err)
		default:
			require.Failf(t, "a kind of key that the test cannot read", "%s: %s", key, kind)
		}
		list = append(list, key+" "+strings.Join(values, " "))
	}
	require.NoError(t, keys.Err())
	return list
}

// containing are the traces with one of the marks, by place.
func containing(all map[string][]string, marks []string) map[string][]string {
	found := map[string][]string{}
	for place, list := range all {
		for _, text := range list {
			for _, mark := range marks {
				if strings.Contains(text, mark) {
					found[place] = append(found[place], text)
					break
				}
			}
		}
	}
	return found
}

// leftOf fails the test for each place with one of the marks.
func leftOf(t *testing.T, all map[string][]string, marks []string) {
	t.Helper()
	for _, mark := range marks {
		for place, list := range containing(all, []string{mark}) {
			first := list[0]
			at := strings.Index(first, mark)
			assert.Failf(t, "something is left", "%q in %s: …%q…", mark, place, first[max(0, at-80):min(len(first), at+80)])
		}
	}
}
