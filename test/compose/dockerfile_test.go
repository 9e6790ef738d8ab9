package compose_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// instruction is one of a Dockerfile, continued lines joined.
type instruction struct{ name, text string }

func instructions(t *testing.T, file string) []instruction {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	joined := regexp.MustCompile(`(?m)\\\n\s*`).ReplaceAllString(string(data), "")
	var list []instruction
	for line := range strings.Lines(joined) {
		name, text, ok := strings.Cut(strings.TrimSpace(line), " ")
		if ok && !strings.HasPrefix(name, "#") {
			list = append(list, instruction{name, text})
		}
	}
	return list
}

func dockerfiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(root + "/deploy/docker/*.Dockerfile")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

func TestBaseImagesAreArgumentsWithAFixedTag(t *testing.T) {
	t.Parallel()
	for _, file := range dockerfiles(t) {
		list := instructions(t, file)
		stages := []string{"scratch"}
		for _, i := range list {
			switch i.name {
			case "FROM":
				words := strings.Fields(i.text)
				arg := strings.HasPrefix(words[0], "${") && strings.HasSuffix(words[0], "_IMAGE}")
				assert.True(t, arg || slices.Contains(stages, words[0]), "%s: FROM %s", file, words[0])
				if len(words) == 3 {
					stages = append(stages, words[2])
				}
			case "ARG":
				if name, value, _ := strings.Cut(i.text, "="); strings.HasSuffix(name, "_IMAGE") {
					assert.Regexp(t, `^[a-z]+:[0-9a-z][0-9a-z.-]*$`, value, "%s: %s", file, name)
					assert.NotContains(t, value, ":latest")
				}
			}
		}
	}
}

// TestImagesOfReleases looks at each stage that is not called build: it becomes an image.
func TestImagesOfReleases(t *testing.T) {
	t.Parallel()
	for _, file := range dockerfiles(t) {
		var stage []instruction
		check := func() {
			if len(stage) == 0 || strings.HasSuffix(stage[0].text, " AS build") || stage[0].name != "FROM" {
				return
			}
			name := file + ": " + stage[0].text
			last := func(kind string) string {
				text := ""
				for _, i := range stage {
					if i.name == kind {
						text = i.text
					}
				}
				return text
			}
			assert.Regexp(t, `^[1-9][0-9]*:[1-9][0-9]*$`, last("USER"), name)
			assert.NotEmpty(t, last("STOPSIGNAL"), name)
			assert.True(t, strings.HasPrefix(last("ENTRYPOINT"), "["), "%s: a shell would keep the signal to itself", name)
			for _, label := range []string{"title", "source", "licenses", "version", "revision"} {
				assert.Contains(t, last("LABEL"), "org.opencontainers.image."+label+"=", name)
			}
		}
		for _, i := range instructions(t, file) {
			if i.name == "FROM" {
				check()
				stage = nil
			}
			stage = append(stage, i)
		}
		check()
	}
}

func TestDockerfilesFetchNothingUnpinnedAndKeepNoLists(t *testing.T) {
	t.Parallel()
	for _, file := range dockerfiles(t) {
		for _, i := range instructions(t, file) {
			assert.NotEqual(t, "ADD", i.name, "%s: COPY does not fetch or unpack by surprise", file)
			assert.NotContains(t, i.text, "curl ", file)
			if strings.Contains(i.text, "apt-get install") {
				assert.Contains(t, i.text, "--no-install-recommends", file)
				assert.Contains(t, i.text, "rm -rf /var/lib/apt/lists", file)
			}
			if i.name == "ENV" || i.name == "ARG" {
				assert.NotRegexp(t, `(?i)(secret|password|token|api_key)`, i.text, file)
			}
		}
		_, err := os.Stat(file + ".dockerignore")
		assert.NoError(t, err, "what is not named there is not sent to the engine")
	}
}
