package store

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// what names the thing in NOT_FOUND errors, which differ for nobody.
const what = "Nota fiscal"

func notFound() error { return invoice.NotFound(what) }

// isUnique says that err is a violation of a unique index or a primary key.
func isUnique(err error) bool {
	return violates(err, "23505", sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}

// isForeignKey says that err is a reference to a row that is not there: it was deleted meanwhile.
func isForeignKey(err error) bool {
	return violates(err, "23503", sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY)
}

func violates(err error, state string, codes ...int) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == state
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		for _, c := range codes {
			if lite.Code() == c {
				return true
			}
		}
	}
	return false
}
