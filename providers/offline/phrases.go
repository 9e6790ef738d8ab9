package offline

// listed is how many names of a list are told.
const listed = 3

// textOf is how findings of a kind are told; false for a kind that there are no phrases for. It adds to the facts what the
// phrases need of lists. Figures are the facts' own: a phrase has none, and counts nothing.
func textOf(kind string, f facts) (phrasing, bool) {
	switch kind {
	case "PRICE_ALERT":
		return priceAlert(), true
	case "CATEGORY_INSIGHT":
		return categoryInsight(), true
	case "MERCHANT_PATTERN":
		return merchantPattern(), true
	case "SUMMARY":
		return summary(f), true
	case "ESSENTIAL_RATIO":
		return essentialRatio(), true
	case "SEASONAL_ALERT":
		return seasonalAlert(f), true
	case "CHILDREN_SPENDING":
		return childrenSpending(f), true
	}
	return monthlyTextOf(kind, f)
}

func priceAlert() phrasing {
	return phrasing{
		title: say("{product}: preço acima do costume", "Preço alto: {product}").
			or("Preço alto: {product}", "Preço acima do costume"),
		sentences: []choice{
			say("Desta vez, {product} saiu por {current_price}, {price_difference_percent} acima da média de {average_price}.",
				"Vocês pagaram {current_price} por {product}, {price_difference_percent} a mais que a média de {average_price}.").
				or("{product} saiu por {current_price}, acima do preço de costume.",
					"Este produto saiu por {current_price}, {price_difference_percent} acima da média de {average_price}.",
					"O preço de {product} ficou acima do costume."),
			say("A média vem de {history_count|# compra anterior|# compras anteriores}."),
			say("Vale comparar o preço antes da próxima compra.", "Se der, comparem com outra loja ou outra marca na próxima vez.",
				"Se não for urgente, dá para esperar e comparar."),
		},
	}
}

func categoryInsight() phrasing {
	return phrasing{
		title: say("{category}: mês acima da média", "Gasto maior em {category}").or("Categoria acima da média no mês"),
		sentences: []choice{
			say("Neste mês, o gasto com {category} já soma {current_month_total}, {difference_percent} acima da média de {average_monthly}.",
				"O gasto do mês com {category} chegou a {current_month_total}; a média é de {average_monthly}, uma diferença de {difference_percent}.").
				or("Neste mês, o gasto com {category} já soma {current_month_total}, acima da média.",
					"Esta categoria já soma {current_month_total} no mês, {difference_percent} acima da média de {average_monthly}.",
					"Neste mês, o gasto com {category} está acima da média."),
			say("A média considera {months_analyzed|# mês anterior|# meses anteriores}."),
			say("Vale olhar o que mudou por aqui.", "Se foi compra para estoque, está tudo bem: é só acompanhar."),
		},
	}
}

func merchantPattern() phrasing {
	return phrasing{
		title: say("Compras maiores em {merchant_name}", "{merchant_name}: compras acima da média").
			or("{merchant_name}: compras maiores", "Loja com compras acima da média"),
		sentences: []choice{
			say("Em {merchant_name}, cada compra fica em média em {current_avg_ticket}; em outras lojas do mesmo tipo, em "+
				"{category_avg_ticket}: uma diferença de {difference_percent}.",
				"A compra média em {merchant_name} é de {current_avg_ticket}, {difference_percent} acima da de outras lojas do mesmo tipo, "+
					"de {category_avg_ticket}.").
				or("A compra média em {merchant_name} é de {current_avg_ticket}, acima da de outras lojas do mesmo tipo.",
					"A compra média nesta loja é de {current_avg_ticket}, {difference_percent} acima da de outras lojas do mesmo tipo.",
					"As compras em {merchant_name} estão maiores que em outras lojas do mesmo tipo."),
			say("A conta é de {visit_count|# visita|# visitas}."),
			say("Fazer a lista antes de sair ajuda a trazer só o que falta.", "Vale conferir se os mesmos itens saem mais em conta em outra loja."),
		},
	}
}

func summary(f facts) phrasing {
	categories := shares(f["categories"], []string{"category", "name"}, []string{"total", "amount"})
	next := "Em seguida vêm {next_categories}."
	if len(categories) > 0 {
		f["top_category"], f["top_total"] = value{text: categories[0].name}, value{text: amountText(categories[0].part)}
		names := namesOf(categories[1:])
		f["next_categories"] = value{text: joined(names, listed-1)}
		if len(names) == 1 {
			next = "Em seguida vem {next_categories}."
		}
	}
	return phrasing{
		title: say("Compra de {total_value} em {merchant}", "{merchant}: compra de {total_value}").
			or("Resumo da compra em {merchant}", "Resumo da compra de {total_value}", "Resumo da compra"),
		sentences: []choice{
			say("{item_count|Foi # item|Foram # itens} por {total_value} em {merchant}.",
				"A compra em {merchant} deu {total_value}, com {item_count|# item|# itens}.").
				or("A compra deu {total_value}, com {item_count|# item|# itens}.", "A compra deu {total_value}."),
			say("O que mais pesou: {top_category}, com {top_total}.", "A maior parcela foi para {top_category}: {top_total}.").
				or("O que mais pesou: {top_category}."),
			say(next),
		},
	}
}

func essentialRatio() phrasing {
	return phrasing{
		title: say("Itens não essenciais: {non_essential_percent} da compra", "{non_essential_percent} da compra em itens não essenciais").
			or("Itens não essenciais: {non_essential_total}", "Itens não essenciais na compra"),
		sentences: []choice{
			say("De {total_value}, {non_essential_total} foram para itens não essenciais, ou {non_essential_percent} da compra.",
				"Os itens não essenciais somaram {non_essential_total}, {non_essential_percent} da compra de {total_value}.").
				or("Os itens não essenciais somaram {non_essential_total}.", "Os itens não essenciais foram {non_essential_percent} da compra."),
			say("Isso equivale a {income_percent_non_essential} da renda do mês.").or("O que é de primeira necessidade ficou em {essential_total}."),
			say("Um agrado faz parte: se quiserem economizar, escolham o preferido e deixem o resto para outra vez.",
				"Se quiserem economizar, dá para combinar antes quais agrados entram no carrinho."),
		},
	}
}

func seasonalAlert(f facts) phrasing {
	items := shares(f["off_season_items"], []string{"product", "name"}, nil)
	names := namesOf(items)
	f["names"] = value{text: joined(names, listed)}
	if first, ok := firstObject(f["off_season_items"]); ok {
		measure, _ := first["measure"].(string)
		price := first["current_price"]
		if price == nil {
			price = first["price"]
		}
		f["first"] = value{text: shareOf(first, []string{"product", "name"}, nil).name}
		f["first_price"] = value{text: withMeasure(amountText(price), measure)}
		f["first_lowest"] = value{text: amountText(first["lowest_price"])}
		f["first_percent"] = value{text: percentText(first["difference_percent"])}
	}
	verb := "estão"
	if len(names) == 1 {
		verb = "está"
	}
	return phrasing{
		title: say("Fora da época: {names}", "{names}: fora da época").or("Fora da época: {first}", "Fora da época em {current_month}", "Compra fora da época"),
		sentences: []choice{
			say("{names} "+verb+" fora da época em {current_month}.", "Em {current_month}, {names} "+verb+" fora da época.").
				or("{names} "+verb+" fora da época.", "A compra trouxe itens fora da época em {current_month}."),
			say("{first} saiu por {first_price}, {first_percent} acima do menor preço de outras compras, {first_lowest}.",
				"{first} custou {first_price}; o menor preço de outras compras foi {first_lowest}.").
				or("Ao todo, a diferença para os menores preços foi de {total_premium}."),
			say("As frutas e verduras da época costumam sair mais em conta.", "Trocar por algo da estação costuma sair mais em conta."),
		},
	}
}

func firstObject(fact any) (map[string]any, bool) {
	list, _ := fact.([]any)
	if len(list) == 0 {
		return nil, false
	}
	first, ok := list[0].(map[string]any)
	return first, ok
}

// withMeasure says what a price is for, where that is told.
func withMeasure(amount, measure string) string {
	if amount == "" {
		return ""
	}
	switch measure {
	case "KG":
		return amount + " o quilo"
	case "L":
		return amount + " o litro"
	case "UN":
		return amount + " a unidade"
	}
	return amount
}

func childrenSpending(f facts) phrasing {
	f["change"] = unsigned(f["change_percent"])
	beside := say("No mês já são {month_total}; a média dos meses anteriores é de {avg_previous_months}.")
	switch sign, ok := signOf(f["change_percent"]); {
	case !ok:
	case sign > 0:
		beside = say("No mês já são {month_total}, {change} acima da média de {avg_previous_months}.").
			or("O mês está {change} acima da média de {avg_previous_months}.")
	case sign < 0:
		beside = say("No mês são {month_total}, {change} abaixo da média de {avg_previous_months}.").
			or("O mês está {change} abaixo da média de {avg_previous_months}.")
	default:
		beside = say("O mês está na média, de {avg_previous_months}.")
	}
	each := say("Dá {cost_per_child} por criança.")
	if count := printed(f["children_count"]); count.counted && count.count == 1 {
		each = choice{} // it is the same amount
	}
	return phrasing{
		title: say("{children_count|Compras para a criança|Compras para as crianças}: {child_total}", "Itens para crianças: {child_total}").
			or("Itens para crianças na compra"),
		sentences: []choice{
			say("A compra teve {child_items_count|# item para crianças|# itens para crianças}, no total de {child_total}.",
				"{child_items_count|Foi # item|Foram # itens} para {children_count|a criança|as crianças}, no total de {child_total}.").
				or("Os itens para crianças somaram {child_total}."),
			each,
			beside,
			say("Isso é {income_percent} da renda do mês."),
		},
	}
}
