// Package docs_test holds the documents to the tree: what they link to is there.
package docs_test

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const root = "../.."

var (
	fence   = regexp.MustCompile("(?ms)^[ \t]*```.*?^[ \t]*```")
	code    = regexp.MustCompile("`[^`\n]*`")
	link    = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#{1,6}[ \t]+(.*?)[ \t]*$`)
	inLink  = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// documents are the Markdown files of the repository, by their paths from its root.
func documents(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || d.Name() == "dist" || d.Name() == ".git" || d.Name() == "data") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".md" {
			return nil
		}
		data, err := os.ReadFile(path)
		texts[path] = string(data)
		return err
	}))
	require.NotEmpty(t, texts)
	return texts
}

func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	texts := documents(t)
	for path, text := range texts {
		prose := code.ReplaceAllString(fence.ReplaceAllString(text, ""), "`code`")
		for _, m := range link.FindAllStringSubmatch(prose, -1) {
			u, err := url.Parse(m[1])
			require.NoError(t, err, "%s: %s", path, m[1])
			if u.Scheme != "" || u.Host != "" {
				continue // other sites come and go; that is for people to see
			}
			target := path
			if u.Path != "" {
				target = filepath.Join(filepath.Dir(path), filepath.FromSlash(u.Path))
				if _, err := os.Stat(target); !assert.NoError(t, err, "%s: %s", path, m[1]) {
					continue
				}
			}
			if other, ok := texts[target]; ok && u.Fragment != "" {
				assert.Contains(t, anchors(other), u.Fragment, "%s: %s", path, m[1])
			}
		}
	}
}

// anchors are the names of a document's headings as GitHub makes them.
func anchors(text string) map[string]bool {
	names, seen := map[string]bool{}, map[string]int{}
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		var name strings.Builder
		for _, r := range strings.ToLower(inLink.ReplaceAllString(m[1], "$1")) {
			switch {
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				name.WriteRune(r)
			case r == ' ':
				name.WriteByte('-')
			}
		}
		one := name.String()
		if n := seen[one]; n > 0 {
			names[one+"-"+strconv.Itoa(n)] = true
		} else {
			names[one] = true
		}
		seen[one]++
	}
	return names
}

func TestAnchorsAreThoseOfGitHub(t *testing.T) {
	t.Parallel()
	text := "# A title, with `code`\n## Twice\n## Twice\n```\n# not one\n```\n### [A link](x.md) here\n## Não há\n"
	assert.Equal(t, map[string]bool{
		"a-title-with-code": true, "twice": true, "twice-1": true, "a-link-here": true, "não-há": true,
	}, anchors(text))
}
