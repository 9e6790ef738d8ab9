package resolvers

import (
	"slices"
	"strings"

	"github.com/mercadoesperto/smarket/graph/model"
	"github.com/mercadoesperto/smarket/graph/relay"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/product"
	"github.com/mercadoesperto/smarket/internal/spending"
)

// fromProductList fails with a BAD_USER_INPUT *invoice.Error.
func fromProductList(userID string, search *string, first *int, after *string) (product.ListQuery, error) {
	q := product.ListQuery{UserID: userID}
	if search != nil {
		q.Search = strings.TrimSpace(*search)
	}
	var err error
	if q.First, err = fromFirst(first); err != nil {
		return q, err
	}
	q.After, err = fromCursor("after", after, relay.DecodeProductCursor)
	return q, err
}

func fromDays(in model.DateRangeInput) spending.Period {
	return spending.Period{From: fromDay[string](in.From), To: fromDay[string](in.To)}
}

// fromDaysOrAll is nil, which stands for all days, when no period was given.
func fromDaysOrAll(in *model.DateRangeInput) *spending.Period {
	if in == nil {
		return nil
	}
	return new(fromDays(*in))
}

// fromBasket fails with a BAD_USER_INPUT *invoice.Error on what is no product's id: the same as for a product that does not exist.
func fromBasket(lines []*model.BasketLineInput) ([]spending.BasketLine, error) {
	out := make([]spending.BasketLine, len(lines))
	for i, line := range lines {
		id, err := fromProductID(line.ProductID)
		if err != nil {
			return nil, &invoice.Error{
				Code: invoice.CodeBadUserInput, Field: "lines", Message: "Um dos produtos da lista não foi encontrado.", Cause: err,
			}
		}
		out[i] = spending.BasketLine{ProductID: id, Quantity: line.Quantity}
	}
	return out, nil
}

// toReport makes the keys of products opaque; those of other groups are names of their own.
func toReport(report *spending.Report, by spending.Group) *spending.Report {
	if by != spending.GroupByProduct {
		return report
	}
	shown := *report
	shown.Groups = slices.Clone(report.Groups)
	for i := range shown.Groups {
		shown.Groups[i].Key = relay.EncodeID(relay.TypeProduct, shown.Groups[i].Key)
	}
	return &shown
}

// toExport writes the purchases into one text.
func toExport(purchases []spending.Purchase, format model.ExportFormat) (*model.PurchaseExport, error) {
	out := &model.PurchaseExport{FileName: "compras.csv", MediaType: "text/csv; charset=utf-8", Lines: len(purchases)}
	write := spending.WriteCSV
	if format == model.ExportFormatJSON {
		out.FileName, out.MediaType, write = "compras.json", "application/json", spending.WriteJSON
	}
	var content strings.Builder
	if err := write(&content, purchases); err != nil {
		return nil, err
	}
	out.Content = content.String()
	return out, nil
}

// pointers is the form in which the executor takes lists of objects.
func pointers[T any](list []T) []*T {
	out := make([]*T, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out
}

// present leaves out the products that are no more.
func present(products []*product.Product) []*product.Product {
	return slices.DeleteFunc(products, func(p *product.Product) bool { return p == nil })
}
