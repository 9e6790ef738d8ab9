package store

import (
	"context"
	"database/sql/driver"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// literalConnector makes connections that do not prepare statements without arguments. bun writes values into the text, so
// each text is new: preparing would cost a round trip every time and fill the statement cache with what never returns.
// Statements with arguments, such as River's, are prepared and cached as ever.
type literalConnector struct{ driver.Connector }

// Connect implements driver.Connector.
func (c literalConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	pg, ok := conn.(*stdlib.Conn)
	if !ok {
		return nil, fmt.Errorf("unexpected connection %T", conn)
	}
	return literalConn{pg}, nil
}

type literalConn struct{ *stdlib.Conn }

// QueryContext implements driver.QueryerContext.
func (c literalConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if len(args) == 0 {
		args = []driver.NamedValue{{Ordinal: 1, Value: pgx.QueryExecModeExec}}
	}
	return c.Conn.QueryContext(ctx, query, args)
}
