package wire

import (
	"encoding/json"
	"math"
	"strings"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/mercadoesperto/smarket/providers/internal/providerpb"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// text makes s fit for a message: gRPC refuses strings that are not UTF-8.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func int32Of(n int) int32 { return int32(min(max(n, math.MinInt32), math.MaxInt32)) }

func descriptionToProto(d sdk.Description) *providerpb.Description {
	out := &providerpb.Description{
		Name: text(d.Name), Version: text(d.Version), Model: text(d.Model), Streaming: d.Streaming, Local: d.Local,
	}
	for _, m := range d.MediaTypes {
		out.MediaTypes = append(out.MediaTypes, text(m))
	}
	for _, t := range d.Tasks {
		out.Tasks = append(out.Tasks, taskToProto(t))
	}
	return out
}

func descriptionFromProto(d *providerpb.Description) sdk.Description {
	out := sdk.Description{
		Name: d.GetName(), Version: d.GetVersion(), Model: d.GetModel(), MediaTypes: d.GetMediaTypes(),
		Streaming: d.GetStreaming(), Local: d.GetLocal(),
	}
	for _, t := range d.GetTasks() {
		if task := taskFromProto(t); task != "" { // a task of a later version is of no use here
			out.Tasks = append(out.Tasks, task)
		}
	}
	return out
}

func requestToProto(r sdk.Request) *providerpb.GenerateRequest {
	out := &providerpb.GenerateRequest{
		Task: taskToProto(r.Task), Instructions: text(r.Instructions), Input: text(r.Input), Schema: r.Schema,
		SchemaName: text(r.SchemaName), MaxOutputTokens: int32Of(r.MaxOutputTokens),
	}
	for _, p := range r.Pages {
		out.Pages = append(out.Pages, pageToProto(p))
	}
	return out
}

func requestFromProto(r *providerpb.GenerateRequest) sdk.Request {
	out := sdk.Request{
		Task: taskFromProto(r.GetTask()), Instructions: r.GetInstructions(), Input: r.GetInput(),
		SchemaName: r.GetSchemaName(), MaxOutputTokens: int(r.GetMaxOutputTokens()),
	}
	if len(r.GetSchema()) > 0 {
		out.Schema = json.RawMessage(r.GetSchema())
	}
	for _, p := range r.GetPages() {
		out.Pages = append(out.Pages, pageFromProto(p))
	}
	return out
}

func pageToProto(p sdk.Page) *providerpb.Page {
	return &providerpb.Page{MediaType: text(p.MediaType), Data: p.Data, Text: text(p.Text)}
}

func pageFromProto(p *providerpb.Page) sdk.Page {
	return sdk.Page{MediaType: p.GetMediaType(), Data: p.GetData(), Text: p.GetText()}
}

func resultToProto(r sdk.Result) *providerpb.Result {
	return &providerpb.Result{
		Model: text(r.Model), FinishReason: finishReasonToProto(r.FinishReason), Usage: usageToProto(r.Usage),
	}
}

func resultFromProto(r *providerpb.Result) sdk.Result {
	return sdk.Result{
		Model: r.GetModel(), FinishReason: finishReasonFromProto(r.GetFinishReason()), Usage: usageFromProto(r.GetUsage()),
	}
}

func usageToProto(u sdk.Usage) *providerpb.Usage {
	return &providerpb.Usage{
		InputTokens: u.InputTokens, CachedInputTokens: u.CachedInputTokens, CacheWriteTokens: u.CacheWriteTokens,
		OutputTokens: u.OutputTokens, ThinkingTokens: u.ThinkingTokens, CostMicroUsd: u.CostMicroUSD,
	}
}

func usageFromProto(u *providerpb.Usage) sdk.Usage {
	out := sdk.Usage{
		InputTokens: u.GetInputTokens(), CachedInputTokens: u.GetCachedInputTokens(), CacheWriteTokens: u.GetCacheWriteTokens(),
		OutputTokens: u.GetOutputTokens(), ThinkingTokens: u.GetThinkingTokens(),
	}
	if u != nil {
		out.CostMicroUSD = u.CostMicroUsd
	}
	return out
}

func errorToProto(e *sdk.Error) *providerpb.Error {
	out := &providerpb.Error{
		Kind: kindToProto(e.Kind), Blame: blameToProto(e.Blame), Message: text(e.Message), HttpStatus: int32Of(e.HTTPStatus),
	}
	if e.RetryAfter > 0 {
		out.RetryAfter = durationpb.New(e.RetryAfter)
	}
	return out
}

func errorFromProto(e *providerpb.Error) *sdk.Error {
	return &sdk.Error{
		Kind: kindFromProto(e.GetKind()), Blame: blameFromProto(e.GetBlame()), Message: e.GetMessage(),
		RetryAfter: max(0, e.GetRetryAfter().AsDuration()), HTTPStatus: int(e.GetHttpStatus()),
	}
}

func taskToProto(t sdk.Task) providerpb.Task {
	switch t {
	case sdk.TaskExtract:
		return providerpb.Task_TASK_EXTRACT
	case sdk.TaskAnalyze:
		return providerpb.Task_TASK_ANALYZE
	case sdk.TaskProbe:
		return providerpb.Task_TASK_PROBE
	}
	return providerpb.Task_TASK_UNSPECIFIED
}

func taskFromProto(t providerpb.Task) sdk.Task {
	switch t {
	case providerpb.Task_TASK_EXTRACT:
		return sdk.TaskExtract
	case providerpb.Task_TASK_ANALYZE:
		return sdk.TaskAnalyze
	case providerpb.Task_TASK_PROBE:
		return sdk.TaskProbe
	case providerpb.Task_TASK_UNSPECIFIED:
	}
	return ""
}

func finishReasonToProto(r sdk.FinishReason) providerpb.FinishReason {
	switch r {
	case sdk.FinishStop:
		return providerpb.FinishReason_FINISH_REASON_STOP
	case sdk.FinishLength:
		return providerpb.FinishReason_FINISH_REASON_LENGTH
	case sdk.FinishBlocked:
		return providerpb.FinishReason_FINISH_REASON_BLOCKED
	}
	return providerpb.FinishReason_FINISH_REASON_UNSPECIFIED
}

func finishReasonFromProto(r providerpb.FinishReason) sdk.FinishReason {
	switch r {
	case providerpb.FinishReason_FINISH_REASON_STOP:
		return sdk.FinishStop
	case providerpb.FinishReason_FINISH_REASON_LENGTH:
		return sdk.FinishLength
	case providerpb.FinishReason_FINISH_REASON_BLOCKED:
		return sdk.FinishBlocked
	case providerpb.FinishReason_FINISH_REASON_UNSPECIFIED:
	}
	return ""
}

func kindToProto(k sdk.Kind) providerpb.ErrorKind {
	switch k {
	case sdk.KindInvalidRequest:
		return providerpb.ErrorKind_ERROR_KIND_INVALID_REQUEST
	case sdk.KindAuth:
		return providerpb.ErrorKind_ERROR_KIND_AUTH
	case sdk.KindNoCredit:
		return providerpb.ErrorKind_ERROR_KIND_NO_CREDIT
	case sdk.KindQuota:
		return providerpb.ErrorKind_ERROR_KIND_QUOTA
	case sdk.KindRateLimited:
		return providerpb.ErrorKind_ERROR_KIND_RATE_LIMITED
	case sdk.KindOverloaded:
		return providerpb.ErrorKind_ERROR_KIND_OVERLOADED
	case sdk.KindTimeout:
		return providerpb.ErrorKind_ERROR_KIND_TIMEOUT
	case sdk.KindTruncated:
		return providerpb.ErrorKind_ERROR_KIND_TRUNCATED
	case sdk.KindBlocked:
		return providerpb.ErrorKind_ERROR_KIND_BLOCKED
	case sdk.KindEmpty:
		return providerpb.ErrorKind_ERROR_KIND_EMPTY
	case sdk.KindUnsupported:
		return providerpb.ErrorKind_ERROR_KIND_UNSUPPORTED
	case sdk.KindUnavailable:
		return providerpb.ErrorKind_ERROR_KIND_UNAVAILABLE
	case sdk.KindCancelled:
		return providerpb.ErrorKind_ERROR_KIND_CANCELLED
	case sdk.KindInternal:
		return providerpb.ErrorKind_ERROR_KIND_INTERNAL
	}
	return providerpb.ErrorKind_ERROR_KIND_INTERNAL // a kind of the plugin's own making is its bug
}

func kindFromProto(k providerpb.ErrorKind) sdk.Kind {
	switch k {
	case providerpb.ErrorKind_ERROR_KIND_INVALID_REQUEST:
		return sdk.KindInvalidRequest
	case providerpb.ErrorKind_ERROR_KIND_AUTH:
		return sdk.KindAuth
	case providerpb.ErrorKind_ERROR_KIND_NO_CREDIT:
		return sdk.KindNoCredit
	case providerpb.ErrorKind_ERROR_KIND_QUOTA:
		return sdk.KindQuota
	case providerpb.ErrorKind_ERROR_KIND_RATE_LIMITED:
		return sdk.KindRateLimited
	case providerpb.ErrorKind_ERROR_KIND_OVERLOADED:
		return sdk.KindOverloaded
	case providerpb.ErrorKind_ERROR_KIND_TIMEOUT:
		return sdk.KindTimeout
	case providerpb.ErrorKind_ERROR_KIND_TRUNCATED:
		return sdk.KindTruncated
	case providerpb.ErrorKind_ERROR_KIND_BLOCKED:
		return sdk.KindBlocked
	case providerpb.ErrorKind_ERROR_KIND_EMPTY:
		return sdk.KindEmpty
	case providerpb.ErrorKind_ERROR_KIND_UNSUPPORTED:
		return sdk.KindUnsupported
	case providerpb.ErrorKind_ERROR_KIND_UNAVAILABLE:
		return sdk.KindUnavailable
	case providerpb.ErrorKind_ERROR_KIND_CANCELLED:
		return sdk.KindCancelled
	case providerpb.ErrorKind_ERROR_KIND_INTERNAL, providerpb.ErrorKind_ERROR_KIND_UNSPECIFIED:
	}
	return sdk.KindInternal
}

func blameToProto(b sdk.Blame) providerpb.Blame {
	switch b {
	case sdk.BlamePlugin:
		return providerpb.Blame_BLAME_PLUGIN
	case sdk.BlameDownstream:
		return providerpb.Blame_BLAME_DOWNSTREAM
	case sdk.BlameHost:
		return providerpb.Blame_BLAME_HOST
	}
	return providerpb.Blame_BLAME_UNSPECIFIED
}

// blameFromProto blames the plugin when it does not say.
func blameFromProto(b providerpb.Blame) sdk.Blame {
	switch b {
	case providerpb.Blame_BLAME_DOWNSTREAM:
		return sdk.BlameDownstream
	case providerpb.Blame_BLAME_HOST:
		return sdk.BlameHost
	case providerpb.Blame_BLAME_PLUGIN, providerpb.Blame_BLAME_UNSPECIFIED:
	}
	return sdk.BlamePlugin
}
