package cache

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"
)

// LogLibrary sends what the Redis library says on its own to log, at debug level, for the whole process: by default it
// writes a line to standard error with every failed dial, of which an outage has many. Call it once, at the start.
func LogLibrary(log *slog.Logger) { redis.SetLogger(libraryLog{log}) }

type libraryLog struct{ log *slog.Logger }

// Printf is the library's interface.
func (l libraryLog) Printf(ctx context.Context, format string, v ...any) {
	if l.log.Enabled(ctx, slog.LevelDebug) {
		l.log.DebugContext(ctx, "Redis library", "said", fmt.Sprintf(format, v...))
	}
}
