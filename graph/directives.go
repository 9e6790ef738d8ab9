package graph

import (
	"context"
	"fmt"
	"reflect"

	"github.com/99designs/gqlgen/graphql"

	"github.com/mercadoesperto/smarket/graph/generated"
	"github.com/mercadoesperto/smarket/graph/relay"
)

// directives are what the schema's directives do. They stand for field resolvers that would each say the same.
func directives() generated.DirectiveRoot {
	return generated.DirectiveRoot{EmptyIsNull: emptyIsNull, GlobalId: globalID}
}

func emptyIsNull(ctx context.Context, _ any, next graphql.Resolver) (any, error) {
	v, err := next(ctx)
	if err != nil || v == nil {
		return nil, err
	}
	if reflect.ValueOf(v).IsZero() {
		return nil, nil //nolint:nilnil // nil is the API's null
	}
	// A time in whatever zone, a number in whatever scale: reflect would look at those.
	if z, ok := v.(interface{ IsZero() bool }); ok && z.IsZero() {
		return nil, nil //nolint:nilnil // nil is the API's null
	}
	return v, nil
}

func globalID(ctx context.Context, _ any, next graphql.Resolver, typ string) (any, error) {
	v, err := next(ctx)
	if err != nil || v == nil { // null, by a directive before this one
		return nil, err
	}
	id, ok := v.(string)
	if !ok {
		return nil, fmt.Errorf("an id of %s is a %T", typ, v)
	}
	return relay.EncodeID(typ, id), nil
}
