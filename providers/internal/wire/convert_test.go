package wire

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/mercadoesperto/smarket/providers/internal/providerpb"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// filled makes a T with no zero field, however deep.
func filled[T any](t *testing.T) T {
	t.Helper()
	var v T
	fill(t, reflect.ValueOf(&v).Elem())
	return v
}

func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Interface().(type) {
	case sdk.Task:
		v.SetString(string(sdk.TaskAnalyze))
		return
	case sdk.FinishReason:
		v.SetString(string(sdk.FinishBlocked))
		return
	case sdk.Kind:
		v.SetString(string(sdk.KindQuota))
		return
	case sdk.Blame:
		v.SetString(string(sdk.BlameDownstream))
		return
	case json.RawMessage:
		v.SetBytes([]byte(`{"type":"object"}`))
		return
	case time.Duration:
		v.SetInt(int64(3 * time.Second))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint8:
		v.SetUint(7)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(t, v.Index(i))
		}
	case reflect.Struct:
		for _, f := range v.Fields() {
			fill(t, f)
		}
	default:
		t.Fatalf("fill does not know %s: teach it", v.Type())
	}
}

// assertPopulated says which fields of a message a conversion left out.
func assertPopulated(t *testing.T, m protoreflect.Message) {
	t.Helper()
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if !assert.True(t, m.Has(f), "%s was not filled", f.FullName()) || f.Message() == nil {
			continue
		}
		if f.IsList() {
			for n := range m.Get(f).List().Len() {
				assertPopulated(t, m.Get(f).List().Get(n).Message())
			}
			continue
		}
		if f.Message().FullName() != "google.protobuf.Duration" {
			assertPopulated(t, m.Get(f).Message())
		}
	}
}

func roundTrip[T any, P proto.Message](to func(T) P, from func(P) T) func(*testing.T) {
	return func(t *testing.T) {
		t.Parallel()
		want := filled[T](t)
		msg := to(want)
		assertPopulated(t, msg.ProtoReflect())
		b, err := proto.Marshal(msg)
		require.NoError(t, err)
		back := msg.ProtoReflect().New().Interface()
		require.NoError(t, proto.Unmarshal(b, back))
		p, ok := back.(P)
		require.True(t, ok)
		assert.Equal(t, want, from(p))
	}
}

func TestConversionsLeaveNothingOut(t *testing.T) {
	t.Parallel()
	t.Run("description", roundTrip(descriptionToProto, descriptionFromProto))
	t.Run("request", roundTrip(requestToProto, requestFromProto))
	t.Run("page", roundTrip(pageToProto, pageFromProto))
	t.Run("result", roundTrip(resultToProto, resultFromProto))
	t.Run("usage", roundTrip(usageToProto, usageFromProto))
	t.Run("error", roundTrip(
		func(e sdk.Error) *providerpb.Error { return errorToProto(&e) },
		func(e *providerpb.Error) sdk.Error { return *errorFromProto(e) }))
}

// constants counts the constants of a type in the sdk's source, so that a new one cannot be forgotten here.
func constants(t *testing.T, typ string) int {
	t.Helper()
	n := 0
	for _, file := range []string{"../../sdk/errors.go", "../../sdk/provider.go"} {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		ast.Inspect(f, func(node ast.Node) bool {
			if spec, ok := node.(*ast.ValueSpec); ok {
				if id, ok := spec.Type.(*ast.Ident); ok && id.Name == typ {
					n += len(spec.Names)
				}
			}
			return true
		})
	}
	return n
}

func everyValue[S ~string, P ~int32](typ string, names map[int32]string, to func(S) P, from func(P) S) func(*testing.T) {
	return func(t *testing.T) {
		t.Parallel()
		assert.Len(t, names, constants(t, typ)+1, "the enum has one value for each constant, and UNSPECIFIED")
		seen := map[S]bool{}
		for n := range names {
			if n == 0 {
				continue
			}
			s := from(P(n))
			assert.NotEmpty(t, s)
			assert.False(t, seen[s], "%s twice", s)
			seen[s] = true
			assert.Equal(t, P(n), to(s))
		}
	}
}

func TestEveryConstantCrossesTheWire(t *testing.T) {
	t.Parallel()
	t.Run("task", everyValue("Task", providerpb.Task_name, taskToProto, taskFromProto))
	t.Run("kind", everyValue("Kind", providerpb.ErrorKind_name, kindToProto, kindFromProto))
	t.Run("blame", everyValue("Blame", providerpb.Blame_name, blameToProto, blameFromProto))
	t.Run("finish reason", everyValue("FinishReason", providerpb.FinishReason_name, finishReasonToProto, finishReasonFromProto))
}

func TestNilAndUnknownComeOutSafe(t *testing.T) {
	t.Parallel()
	assert.Equal(t, sdk.KindInternal, errorFromProto(&providerpb.Error{Kind: 99}).Kind)
	assert.Equal(t, sdk.BlamePlugin, errorFromProto(&providerpb.Error{Kind: 99}).Blame)
	assert.Equal(t, sdk.Result{}, resultFromProto(nil))
	assert.Equal(t, sdk.Description{}, descriptionFromProto(nil))
	assert.Equal(t, providerpb.ErrorKind_ERROR_KIND_INTERNAL, kindToProto("made up"))
}

func FuzzFromProto(f *testing.F) {
	seed, err := proto.Marshal(&providerpb.GenerateResponse{Event: &providerpb.GenerateResponse_Outcome{Outcome: &providerpb.Outcome{
		Error: &providerpb.Error{Kind: 3, Blame: 2, Message: "no credit"},
	}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte{0x12, 0x00})
	f.Fuzz(func(_ *testing.T, b []byte) {
		var res providerpb.GenerateResponse
		if proto.Unmarshal(b, &res) == nil {
			resultFromProto(res.GetOutcome().GetResult())
			_ = errorFromProto(res.GetOutcome().GetError())
		}
		var req providerpb.GenerateRequest
		if proto.Unmarshal(b, &req) == nil {
			requestToProto(requestFromProto(&req))
		}
		var d providerpb.Description
		if proto.Unmarshal(b, &d) == nil {
			descriptionFromProto(&d)
		}
	})
}
