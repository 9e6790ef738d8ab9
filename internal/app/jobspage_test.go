package app_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/apitest"
	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/receipts"
	"github.com/mercadoesperto/smarket/worker"
)

// TestOperatorsSeeTheJobsAndFamiliesDoNot has an operator look at the page, and try again what was done already.
func TestOperatorsSeeTheJobsAndFamiliesDoNot(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, at installation) {
		at = withMetrics(at)
		at.env = append(slices.Clip(at.env), "JOBS_PAGE_ENABLED=true")
		a := at.start(t, app.RoleAll)
		page := strings.TrimSuffix(a.MetricsURL(), "/metrics") + worker.PagePath
		r := receipts.Generate(receipts.NewRand(1), receipts.Options{Items: 2, Plain: true})
		data, err := r.XML(receipts.XMLOptions{})
		require.NoError(t, err)
		c := apitest.Client{URL: a.URL()}
		c.SignUp(t, "ana@example.com")
		sub, res := c.Submit(t, data)
		require.Empty(t, res.Errors)
		events := c.Watch(t, sub.SubmitInvoice.Invoice.ID, 0)
		require.Equal(t, "COMPLETED", events[len(events)-1].Stage)

		assert.Contains(t, get(t, page), "<title>River</title>")
		var id int64
		eventually(t, "the page shows the job as done", func() bool {
			var list struct {
				Data []struct {
					ID int64
				}
			}
			require.NoError(t, json.Unmarshal([]byte(get(t, page+"api/jobs?state=completed&kinds=extract_invoice")), &list))
			if len(list.Data) == 0 {
				return false
			}
			id = list.Data[0].ID
			return true
		})
		detail := get(t, fmt.Sprintf("%sapi/jobs/%d", page, id))
		assert.NotContains(t, detail, r.Truth().AccessKey)
		assert.NotContains(t, detail, "ana@example.com")

		again, err := http.Post(page+"api/jobs/retry", "application/json", strings.NewReader(fmt.Sprintf(`{"ids":["%d"]}`, id)))
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, again.Body)
		require.NoError(t, errors.Join(err, again.Body.Close()))
		require.Equal(t, http.StatusOK, again.StatusCode)
		eventually(t, "the job ran again", func() bool {
			job := get(t, fmt.Sprintf("%sapi/jobs/%d", page, id))
			return strings.Contains(job, `"attempt":2`) && strings.Contains(job, `"state":"completed"`)
		})
		assert.Len(t, c.Watch(t, sub.SubmitInvoice.Invoice.ID, 0), len(events), "what is done stays as it is")

		for _, path := range []string{"", "api/jobs?state=completed"} {
			_, body := visit(t, a.URL()+worker.PagePath+path)
			assert.NotContains(t, body, "River", path)
			assert.NotContains(t, body, "extract_invoice", path)
		}
	})
}

func TestThePageOfTheJobsIsServedWhereItIsAskedFor(t *testing.T) {
	t.Parallel()
	a := withMetrics(installation{"embedded", environ(t)}).start(t, app.RoleAll)
	status, _ := visit(t, strings.TrimSuffix(a.MetricsURL(), "/metrics")+worker.PagePath)
	assert.Equal(t, http.StatusNotFound, status)
}

// visit is what an address answers.
func visit(t *testing.T, address string) (status int, body string) {
	t.Helper()
	res, err := http.Get(address)
	require.NoError(t, err)
	data, err := io.ReadAll(res.Body)
	require.NoError(t, errors.Join(err, res.Body.Close()))
	return res.StatusCode, string(data)
}
