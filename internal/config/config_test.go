package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/config"
	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/usage"
)

const (
	leakKey      = "sk-leak-key-0123456789-0123456789-0123456789"
	leakPassword = "leak-password"
)

func production(more ...string) []string {
	return append([]string{
		"SMARKET_ENV=production",
		"DATABASE_URL=postgres://smarket:" + leakPassword + "@db.example:5432/smarket?sslmode=require",
		"REDIS_URL=redis://:" + leakPassword + "@redis.example:6379/0",
		"JWT_SECRET=" + leakKey,
	}, more...)
}

func TestNothingSetIsTheEmbeddedDefault(t *testing.T) {
	t.Parallel()
	c, err := config.Load(nil)
	require.NoError(t, err)
	require.NoError(t, c.Validate())
	assert.False(t, c.IsProduction())
	assert.Equal(t, "127.0.0.1:8080", c.HTTP.Addr)
	assert.True(t, c.HTTP.Introspection)
	assert.True(t, c.HTTP.Playground)
	assert.True(t, c.HTTP.RateLimit)
	assert.Equal(t, 30*time.Second, c.HTTP.ShutdownTimeout)
	assert.Equal(t, "./data", c.Storage.DataDir)
	assert.Empty(t, c.Storage.DatabaseURL.Reveal()+c.Storage.RedisURL.Reveal()+c.Storage.BlobURL.Reveal())
	assert.Equal(t, 20, c.Storage.DBMaxIdle)
	assert.Equal(t, 10, c.Storage.DBMaxOverflow)
	assert.True(t, c.Accounts.SignUp)
	assert.Empty(t, c.Accounts.TokenSecret.Reveal())
	assert.Equal(t, 15*time.Minute, c.Accounts.AccessTTL)
	assert.Equal(t, 720*time.Hour, c.Accounts.RefreshTTL)
	assert.Empty(t, c.Providers.PluginDir)
	assert.False(t, c.Providers.PluginSums)
	assert.Equal(t, []string{"gemini", "openrouter", "openai", "anthropic", "offline"}, c.Providers.Order)
	assert.Equal(t, []string{"offline"}, c.ActiveProviders())
	assert.Equal(t, 72*time.Hour, c.Providers.CacheTTL())
	assert.Equal(t, time.Minute, c.Providers.ProviderTimeout)
	assert.Equal(t, 8, c.Providers.Named["gemini"].Concurrency)
	assert.Equal(t, runtime.GOMAXPROCS(0), c.Providers.Named["offline"].Concurrency)
	assert.Empty(t, c.Costs.PricesFile)
	assert.Equal(t, usage.MicroUSD(500_000), c.Costs.UserDailyBudget)
	assert.Equal(t, usage.MicroUSD(20_000_000), c.Costs.DailyBudget)
	assert.Equal(t, 4*time.Minute, c.Extraction.ExtractionTimeout)
	assert.Equal(t, 5, c.Extraction.MaxAttempts)
	assert.Equal(t, fiscal.Money(5000), c.Extraction.MinValueForAnalysis)
	assert.Equal(t, config.Retention{
		FailedFiles: 720 * time.Hour, ReadFiles: 8760 * time.Hour, Events: 720 * time.Hour, Sessions: 720 * time.Hour, Audit: 17520 * time.Hour,
	}, c.Retention)
	assert.True(t, c.Worker.Enabled)
	assert.NotEmpty(t, c.Worker.Name)
	assert.Equal(t, 8, c.Worker.Jobs)
	assert.Equal(t, runtime.GOMAXPROCS(0), c.Worker.Pages)
	assert.Equal(t, slog.LevelInfo, c.Log.Level)
	assert.Equal(t, config.FormatText, c.Log.Format)
}

func TestProductionHasItsOwnDefaults(t *testing.T) {
	t.Parallel()
	c, err := config.Load(production())
	require.NoError(t, err)
	assert.True(t, c.IsProduction())
	assert.False(t, c.HTTP.Introspection)
	assert.False(t, c.HTTP.Playground)
	assert.Equal(t, config.FormatJSON, c.Log.Format)

	c, err = config.Load(production("INTROSPECTION_ENABLED=true", "LOG_FORMAT=text"))
	require.NoError(t, err)
	assert.True(t, c.HTTP.Introspection)
	assert.Equal(t, config.FormatText, c.Log.Format)
}

func TestProductionRequiresItsServersAndSecret(t *testing.T) {
	t.Parallel()
	_, err := config.Load([]string{"SMARKET_ENV=production"})
	require.Error(t, err)
	for _, name := range []string{"DATABASE_URL", "REDIS_URL", "JWT_SECRET"} {
		assert.ErrorContains(t, err, name+" is required when SMARKET_ENV is production.")
	}
}

func TestListsAreTrimmedAndFolded(t *testing.T) {
	t.Parallel()
	c, err := config.Load([]string{
		"PROVIDER_ORDER= Offline , gemini,,gemini", "GEMINI_API_KEY=k",
		"ALLOWED_ORIGINS=https://App.example.com, http://localhost:5173",
		"MIN_INVOICE_VALUE_FOR_ANALYSIS=49,90",
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"offline", "gemini"}, c.ActiveProviders())
	assert.Equal(t, []string{"https://app.example.com", "http://localhost:5173"}, c.HTTP.AllowedOrigins)
	assert.Equal(t, fiscal.Money(4990), c.Extraction.MinValueForAnalysis)
}

func TestEveryFaultIsReportedOnceAndNoValueIsRepeated(t *testing.T) {
	t.Parallel()
	bad := map[string]string{
		"SMARKET_ENV": "staging-" + leakKey, "HTTP_ADDR": "8080", "ALLOWED_ORIGINS": "*",
		"INTROSPECTION_ENABLED": "perhaps-" + leakKey, "SHUTDOWN_TIMEOUT": "30",
		"DATABASE_URL": "mysql://u:" + leakPassword + "@h/d", "DB_MAX_IDLE_CONNS": "many", "DB_MAX_OVERFLOW": "-1",
		"REDIS_URL": "redis://:" + leakPassword + "\x7f@h", "BLOB_URL": "ftp://" + leakPassword,
		"JWT_SECRET": leakPassword, "ACCESS_TOKEN_TTL": "16m", "REFRESH_TOKEN_TTL": "1m",
		"PROVIDER_ORDER": "gemini,../evil", "PROVIDER_CONCURRENCY": "0", "PROVIDER_TIMEOUT": "5m", "CACHE_TTL_HOURS": "-1",
		"GEMINI_BASE_URL": "file:///" + leakPassword, "GEMINI_CONCURRENCY": "x" + leakKey,
		"EXTRACTION_MAX_ATTEMPTS": "1e3", "MIN_INVOICE_VALUE_FOR_ANALYSIS": "free-" + leakKey, "WORKER_JOBS": "0",
		"BUDGET_USER_DAILY_USD": "-1", "BUDGET_DAILY_USD": "free-" + leakKey, "WORKER_PAGES": "0", "FAILED_FILES_KEPT": "30", "READ_FILES_KEPT": "-1h",
		"EVENTS_KEPT": "59m59s", "ENDED_SESSIONS_KEPT": "-1ns", "AUDIT_KEPT": "2y", "LOG_LEVEL": "loud-" + leakKey, "LOG_FORMAT": "xml",
	}
	var environ []string
	for name, value := range bad {
		environ = append(environ, name+"="+value)
	}
	_, err := config.Load(environ)
	require.Error(t, err)
	faults := strings.Split(err.Error(), "\n")
	for name := range bad {
		n := 0
		for _, f := range faults {
			if strings.HasPrefix(f, name+" ") && strings.HasSuffix(f, ".") {
				n++
			}
		}
		assert.Equal(t, 1, n, name)
	}
	assert.Len(t, faults, len(bad), err)
	assert.NotContains(t, err.Error(), "leak")
}

func TestWhatIsKeptMayBeKeptForEver(t *testing.T) {
	t.Parallel()
	c, err := config.Load([]string{"FAILED_FILES_KEPT=0", "READ_FILES_KEPT=0s", "EVENTS_KEPT=1h", "AUDIT_KEPT=0"})
	require.NoError(t, err)
	assert.Zero(t, c.Retention.ReadFiles)
	assert.Equal(t, time.Hour, c.Retention.Events)
}

func TestProviderIsGivenItsOwnSettingsOnly(t *testing.T) {
	t.Parallel()
	c, err := config.Load(production(
		"PATH=/opt/bin:/usr/bin", "HOME=/root", "PROVIDER_ORDER=gemini,openai,my-llm",
		"GEMINI_API_KEY=g-key", "GEMINI_MODEL=g-model", "OPENAI_API_KEY=o-key", "OPENAI_BASE_URL=https://gateway.example/v1",
		"MY_LLM_API_KEY=m-key",
	))
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"PATH": "/opt/bin:/usr/bin", "GEMINI_API_KEY": "g-key", "GEMINI_MODEL": "g-model"}, c.ProviderEnv("gemini"))
	assert.Equal(t, map[string]string{"PATH": "/opt/bin:/usr/bin", "OPENAI_API_KEY": "o-key", "OPENAI_BASE_URL": "https://gateway.example/v1"}, c.ProviderEnv("openai"))
	assert.Equal(t, map[string]string{"PATH": "/opt/bin:/usr/bin", "MY_LLM_API_KEY": "m-key"}, c.ProviderEnv("my-llm"))
	assert.Equal(t, map[string]string{"PATH": "/opt/bin:/usr/bin"}, c.ProviderEnv("unknown"))
	assert.Equal(t, []string{"gemini", "openai", "my-llm"}, c.ActiveProviders())
}

func TestSecretsAreNeverShown(t *testing.T) {
	t.Parallel()
	c, err := config.Load(production("GEMINI_API_KEY="+leakKey, "BLOB_URL=s3://bucket?secret="+leakPassword))
	require.NoError(t, err)

	var shown bytes.Buffer
	for _, v := range []any{c, &c, c.Accounts.TokenSecret, c.Storage.DatabaseURL, c.Providers.Named, []config.Secret{c.Accounts.TokenSecret}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&shown, verb+"\n", v)
		}
		raw, err := json.Marshal(v)
		require.NoError(t, err)
		shown.Write(raw)
		for _, h := range []slog.Handler{slog.NewTextHandler(&shown, nil), slog.NewJSONHandler(&shown, nil)} {
			slog.New(h).Info("settings", "value", v)
		}
		fmt.Fprintln(&shown, fmt.Errorf("wrapped: %v", v))
	}
	for _, s := range c.Settings() {
		fmt.Fprintln(&shown, s.Name, s.Value)
	}
	for _, secret := range []string{leakKey, leakPassword} {
		assert.NotContains(t, shown.String(), secret)
		assert.NotContains(t, shown.String(), fmt.Sprintf("%x", secret))
		assert.NotContains(t, shown.String(), fmt.Sprintf("%X", secret))
	}
	assert.Equal(t, leakKey, c.Accounts.TokenSecret.Reveal())
	assert.Contains(t, c.Storage.DatabaseURL.Reveal(), leakPassword)
}

func TestHowSecretsPrint(t *testing.T) {
	t.Parallel()
	s, u := config.Secret(leakKey), config.SecretURL("postgres://u:p@db.example:5432/name?password=p")
	for verb, want := range map[string]string{"%v": "[redacted]", "%+v": "[redacted]", "%#v": `"[redacted]"`, "%s": "[redacted]", "%q": `"[redacted]"`} {
		assert.Equal(t, want, fmt.Sprintf(verb, s), verb)
	}
	assert.Equal(t, "postgres://db.example:5432/name", u.String())
	assert.Equal(t, `"postgres://db.example:5432/name"`, fmt.Sprintf("%q", u))
	assert.Empty(t, fmt.Sprint(config.Secret(""), config.SecretURL("")))
	for _, odd := range []config.SecretURL{"host=db password=p", "postgres:p", "://p", "p"} {
		assert.Equal(t, "[redacted]", odd.String())
	}
}

func TestSettingsAreListedByTheirNames(t *testing.T) {
	t.Parallel()
	c, err := config.Load(production("GEMINI_API_KEY=" + leakKey))
	require.NoError(t, err)
	listed := map[string]string{}
	for _, s := range c.Settings() {
		assert.NotContains(t, listed, s.Name)
		listed[s.Name] = s.Value
	}
	assert.Equal(t, "production", listed["SMARKET_ENV"])
	assert.Equal(t, "[redacted]", listed["GEMINI_API_KEY"])
	assert.Equal(t, "gemini,openrouter,openai,anthropic,offline", listed["PROVIDER_ORDER"])
	assert.Equal(t, "15m0s", listed["ACCESS_TOKEN_TTL"])
	assert.Equal(t, "R$ 50,00", listed["MIN_INVOICE_VALUE_FOR_ANALYSIS"])
	assert.Equal(t, "US$ 0,50", listed["BUDGET_USER_DAILY_USD"])
}

// Faults of reading are told apart by the field's name alone.
func TestFieldNamesAreUnique(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		for f := range typ.Fields() {
			if f.Tag.Get("env") != "" {
				assert.False(t, seen[f.Name], f.Name)
				seen[f.Name] = true
			} else if f.Type.Kind() == reflect.Struct {
				walk(f.Type)
			}
		}
	}
	walk(reflect.TypeFor[config.Config]())
	assert.Greater(t, len(seen), 30)
}
