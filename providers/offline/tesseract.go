package offline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

const (
	language = "por"
	// maxOutput bounds what is read of the tool's output, in bytes: a receipt of 990 items has 150 kB.
	maxOutput = 1 << 20
	// killWait is how long the tool's output is waited for after it was killed.
	killWait = 2 * time.Second
	// notInstalled tells an operator what to do.
	notInstalled = "Tesseract is not installed: apt-get install tesseract-ocr tesseract-ocr-por"
)

// tesseract is the command-line tool.
type tesseract struct {
	command string
	dataDir string // "" is the tool's own
}

// errTooLong says that the tool wrote more than any receipt has.
var errTooLong = errors.New("output is too long")

// limited is a buffer that refuses what goes beyond its limit.
// It must not be copied to by ReadFrom: the buffer is not embedded.
type limited struct {
	kept  []byte
	limit int
}

func (l *limited) Write(p []byte) (int, error) {
	if len(l.kept)+len(p) > l.limit {
		return 0, errTooLong
	}
	l.kept = append(l.kept, p...)
	return len(p), nil
}

func (l *limited) String() string { return string(l.kept) }

// run starts the tool with a picture or nothing on its standard input. The end of ctx kills it.
func (t tesseract) run(ctx context.Context, input []byte, args ...string) (string, error) {
	if t.dataDir != "" {
		args = append([]string{"--tessdata-dir", t.dataDir}, args...)
	}
	cmd := exec.CommandContext(ctx, t.command, args...) //nolint:gosec // the operator's own command, arguments of ours
	// One thread: on several it is slower, and how many pages are read at once is the host's business. Nothing else of the
	// environment is needed.
	cmd.Env = []string{"OMP_THREAD_LIMIT=1", "LC_ALL=C.UTF-8"}
	cmd.Stdin = bytes.NewReader(input)
	cmd.WaitDelay = killWait
	stdout, stderr := &limited{limit: maxOutput}, &limited{limit: maxOutput}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err := cmd.Run()
	switch {
	case err == nil:
		return stdout.String(), nil
	case ctx.Err() != nil:
		return "", ended(ctx)
	case errors.Is(err, exec.ErrNotFound), strings.Contains(err.Error(), "no such file"), strings.Contains(err.Error(), "permission denied"),
		strings.Contains(stderr.String(), "loading language"), strings.Contains(stderr.String(), "opening data file"):
		return "", &sdk.Error{Kind: sdk.KindUnavailable, Blame: sdk.BlamePlugin, Message: notInstalled}
	}
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return "", &sdk.Error{Kind: sdk.KindInvalidRequest, Blame: sdk.BlameDownstream, Message: fmt.Sprintf("tesseract could not read the picture: %v", err)}
	}
	return "", &sdk.Error{Kind: sdk.KindInternal, Blame: sdk.BlamePlugin, Message: fmt.Sprintf("run tesseract: %v", err)}
}

// read gives the text of a picture in PGM. psm is the tool's page segmentation mode.
func (t tesseract) read(ctx context.Context, picture []byte, psm string) (string, error) {
	return t.run(ctx, picture, "stdin", "stdout", "-l", language, "--psm", psm, "-c", "tessedit_do_invert=0")
}

// version is "5.3.0". It fails when the tool or its Portuguese data are missing.
func (t tesseract) version(ctx context.Context) (string, error) {
	languages, err := t.run(ctx, nil, "--list-langs")
	if err != nil {
		return "", err
	}
	found := false
	for l := range strings.SplitSeq(languages, "\n") {
		found = found || strings.TrimSpace(l) == language
	}
	if !found {
		return "", &sdk.Error{Kind: sdk.KindUnavailable, Blame: sdk.BlamePlugin, Message: notInstalled}
	}
	out, err := t.run(ctx, nil, "--version")
	if err != nil {
		return "", err
	}
	first, _, _ := strings.Cut(out, "\n")
	return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(first), "tesseract")), nil
}

// ended is the error of a call whose context has ended.
func ended(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &sdk.Error{Kind: sdk.KindTimeout, Blame: sdk.BlameDownstream, Message: "the deadline ended while the document was read"}
	}
	return &sdk.Error{Kind: sdk.KindCancelled, Blame: sdk.BlameHost, Message: "the caller went away"}
}
