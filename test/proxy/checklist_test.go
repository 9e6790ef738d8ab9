package proxy_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheChecklistNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	var tests strings.Builder
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git" || d.Name() == "data" || d.Name() == "bin"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		data, err := os.ReadFile(path)
		tests.Write(data)
		return err
	}))
	list := read(t, filepath.Join(root, "docs/SECURITY_CHECKLIST.md"))
	named := regexp.MustCompile("`(Test|attack:)([^`]+)`").FindAllStringSubmatch(list, -1)
	assert.Greater(t, len(named), 90, "the list has its proofs")
	for _, n := range named {
		switch name := n[2]; n[1] {
		case "Test":
			assert.Contains(t, tests.String(), "func Test"+name+"(t *testing.T)")
		default:
			found := strings.Contains(tests.String(), `name: "`+name+`"`) || strings.Contains(tests.String(), "name: `"+name+"`")
			assert.True(t, found, "there is no attack %q", name)
		}
	}
}
