package schema

import (
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Contracting is what breaks the release before this one, which runs beside it while it is rolled out: its statements name what was
// there, and insert rows without what was not.
func contracting() map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{
		"drops":                          regexp.MustCompile(`(?i)\bDROP\s+(TABLE|COLUMN|SCHEMA|TYPE)\b`),
		"renames":                        regexp.MustCompile(`(?i)\bRENAME\b`),
		"changes a type":                 regexp.MustCompile(`(?i)\bALTER\s+COLUMN\s+\S+\s+(SET\s+DATA\s+)?TYPE\b`),
		"forbids null":                   regexp.MustCompile(`(?i)\bSET\s+NOT\s+NULL\b`),
		"adds a column without default":  regexp.MustCompile(`(?i)\bADD\s+(COLUMN\s+)?[^,;]*\bNOT\s+NULL\b[^,;]*`),
		"adds a rule to rows that exist": regexp.MustCompile(`(?i)\bADD\s+CONSTRAINT\s+[^,;]*\b(CHECK|UNIQUE|FOREIGN)\b`),
	}
}

// reasons excuse a statement by its file and what it does, in words that a reviewer has agreed with.
func reasons() map[string]string {
	return map[string]string{}
}

func TestMigrationsOnlyExpand(t *testing.T) {
	t.Parallel()
	comments := regexp.MustCompile(`(?m)--.*$`)
	defaults := regexp.MustCompile(`(?i)\bDEFAULT\b`)
	excused := reasons()
	files, err := fs.Glob(migrations, "migrations/*/*.sql")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		data, err := fs.ReadFile(migrations, file)
		require.NoError(t, err)
		for statement := range strings.SplitSeq(comments.ReplaceAllString(string(data), ""), ";") {
			for what, pattern := range contracting() {
				found := pattern.FindString(statement)
				if found == "" || (what == "adds a column without default" && defaults.MatchString(found)) {
					continue
				}
				key := path.Base(path.Dir(file)) + "/" + path.Base(file) + " " + what
				assert.NotEmpty(t, excused[key], "%s: %s", key, strings.TrimSpace(found))
			}
		}
	}
}

func TestWhatBreaksTheReleaseBeforeIsSeen(t *testing.T) {
	t.Parallel()
	for statement, what := range map[string]string{
		"ALTER TABLE invoices DROP COLUMN number":                        "drops",
		"drop table sessions":                                            "drops",
		"ALTER TABLE users RENAME COLUMN name TO full_name":              "renames",
		"ALTER TABLE users ALTER COLUMN adults TYPE text":                "changes a type",
		"ALTER TABLE users ALTER COLUMN name SET NOT NULL":               "forbids null",
		"ALTER TABLE users ADD COLUMN age integer NOT NULL":              "adds a column without default",
		"ALTER TABLE users ADD CONSTRAINT users_name_check CHECK (true)": "adds a rule to rows that exist",
	} {
		assert.Regexp(t, contracting()[what], statement)
	}
}
