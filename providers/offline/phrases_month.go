package offline

// monthlyTextOf is textOf for the kinds that look at a month.
func monthlyTextOf(kind string, f facts) (phrasing, bool) {
	switch kind {
	case "BUDGET_HEALTH":
		return budgetHealth(), true
	case "INCOME_COMMITMENT":
		return incomeCommitment(), true
	case "PER_CAPITA_SPENDING":
		return perCapitaSpending(f), true
	case "SHOPPING_FREQUENCY":
		return shoppingFrequency(), true
	case "WHOLESALE_OPPORTUNITY":
		return wholesaleOpportunity(f), true
	case "SAVINGS_POTENTIAL":
		return savingsPotential(f), true
	case "FAMILY_NUTRITION":
		return familyNutrition(f), true
	}
	return phrasing{}, false
}

func budgetHealth() phrasing {
	return phrasing{
		title: say("Compras do mês: {percent_of_income} da renda", "O mês chegou a {percent_of_income} da renda").
			or("Compras do mês: {month_spent}", "Compras do mês e a renda da família"),
		sentences: []choice{
			say("As compras do mês somam {month_spent}, {percent_of_income} da renda de {household_income}.",
				"Da renda de {household_income}, {month_spent} já foram para as compras do mês, ou {percent_of_income}.").
				or("As compras do mês somam {month_spent}, {percent_of_income} da renda.", "As compras do mês somam {month_spent}.",
					"As compras do mês são {percent_of_income} da renda."),
			say("Para uma família como a de vocês, a referência é de {threshold_percent}."),
			say("A média dos meses anteriores é de {avg_previous_months}."),
			say("Deixar nas próximas compras só o básico ajuda a fechar o mês com folga.", "Rever a lista das próximas compras já ajuda."),
		},
	}
}

func incomeCommitment() phrasing {
	return phrasing{
		title: say("Já são {percent_accumulated} da renda em compras", "Compras do mês: {percent_accumulated} da renda").
			or("Compras do mês: {accumulated}", "O ritmo das compras do mês"),
		sentences: []choice{
			say("{days_elapsed|Em # dia|Em # dias} do mês, as compras somam {accumulated}, {percent_accumulated} da renda de {household_income}.",
				"As compras do mês já somam {accumulated}, {percent_accumulated} da renda de {household_income}.").
				or("As compras do mês já somam {accumulated}, {percent_accumulated} da renda.", "As compras do mês já somam {accumulated}."),
			say("Nesse ritmo, de {daily_rate} por dia, o mês fecharia em {projected_total}, ou {projected_percent} da renda.",
				"Nesse ritmo, o mês fecharia em {projected_total}, ou {projected_percent} da renda.").
				or("Nesse ritmo, o mês fecharia em {projected_total}."),
			say("{days_remaining|Falta # dia|Faltam # dias} para o mês acabar: ainda dá tempo de ajustar.").
				or("Vale começar o próximo mês com a lista pronta."),
		},
	}
}

func perCapitaSpending(f facts) phrasing {
	f["change"] = unsigned(f["change_percent"])
	plain := []string{
		"Nas últimas semanas, o gasto por pessoa foi de {per_capita_current}; a média anterior é de {per_capita_avg_3m}.",
		"Nas últimas semanas, o gasto por pessoa foi de {per_capita_current}.",
	}
	told := phrasing{
		title:     say("Gasto por pessoa: {per_capita_current}").or("Gasto por pessoa"),
		sentences: []choice{say(plain...), say("A renda por pessoa é de {income_per_capita}.")},
	}
	switch sign, _ := signOf(f["change_percent"]); {
	case sign > 0:
		told.title = say("Gasto por pessoa subiu {change}", "Gasto por pessoa: {change} acima da média").or(told.title.best...)
		told.sentences[0] = say(
			"Nas últimas semanas, o gasto por pessoa foi de {per_capita_current}, {change} acima da média anterior, de {per_capita_avg_3m}.",
			"O gasto por pessoa subiu {change} nas últimas semanas: foi de {per_capita_current}, e a média anterior é de {per_capita_avg_3m}.",
		).or(plain...)
		told.sentences = append(told.sentences, say("Vale ver o que entrou de diferente nas compras.",
			"Se houve visita ou festa, está explicado: é só acompanhar."))
	case sign < 0:
		told.title = say("Gasto por pessoa caiu {change}", "Gasto por pessoa: {change} abaixo da média").or(told.title.best...)
		told.sentences[0] = say(
			"Nas últimas semanas, o gasto por pessoa foi de {per_capita_current}, {change} abaixo da média anterior, de {per_capita_avg_3m}.",
			"O gasto por pessoa caiu {change} nas últimas semanas: foi de {per_capita_current}, e a média anterior é de {per_capita_avg_3m}.",
		).or(plain...)
		told.sentences = append(told.sentences, say("É um alívio para o orçamento da casa.", "Boa notícia para o orçamento da casa."))
	}
	return told
}

func shoppingFrequency() phrasing {
	return phrasing{
		title: say("{invoice_count|# compra|# compras} neste mês", "Idas às compras no mês: {invoice_count|#|#}").or("Muitas idas às compras no mês"),
		sentences: []choice{
			say("Neste mês já {invoice_count|foi # compra|foram # compras} em {merchant_count|# loja|# lojas}, de {avg_ticket} em média.",
				"Vocês já fizeram {invoice_count|# compra|# compras} neste mês, em {merchant_count|# loja|# lojas}; em média, {avg_ticket} por vez.").
				or("Neste mês já {invoice_count|foi # compra|foram # compras}, de {avg_ticket} em média.",
					"Neste mês já {invoice_count|foi # compra|foram # compras}.", "Neste mês, cada compra ficou em média em {avg_ticket}."),
			say("Delas, {small_purchase_count|# foi de valor pequeno|# foram de valor pequeno}."),
			say("Juntar as compras pequenas poupa tempo e evita extras.", "Com a lista da semana pronta, dá para sair menos vezes."),
		},
	}
}

func wholesaleOpportunity(f facts) phrasing {
	names := namesOf(shares(f["frequent_products"], []string{"product", "name"}, nil))
	f["names"] = value{text: joined(names, listed)}
	again := "{names} aparecem sempre nas compras."
	if len(names) == 1 {
		again = "{names} aparece sempre nas compras."
	}
	return phrasing{
		title: say("Embalagem maior: economia de {estimated_monthly_savings}", "Compra em quantidade: {estimated_monthly_savings} a menos").
			or("Produtos para comprar em quantidade"),
		sentences: []choice{
			say(again).or("{pattern_count|# produto aparece|# produtos aparecem} sempre nas compras.",
				"Alguns produtos aparecem sempre nas compras."),
			say("Em embalagens maiores ou no atacado, a economia seria de cerca de {estimated_monthly_savings} por mês, ou {savings_percent_income} da renda.").
				or("Em embalagens maiores ou no atacado, a economia seria de cerca de {estimated_monthly_savings} por mês."),
			say("Vale para o que não estraga e cabe em casa.", "Antes, vejam se há lugar em casa e se dá para usar tudo dentro do prazo."),
		},
	}
}

func savingsPotential(f facts) phrasing {
	var labels []string
	for _, s := range shares(f["analysis_types"], []string{"kind", "type", "name"}, []string{"count"}) {
		if label := placeToSave(s.name); label != "" {
			labels = append(labels, label)
		}
	}
	f["places"] = value{text: joined(labels, listed)}
	return phrasing{
		title: say("Onde dá para economizar", "Por onde começar a economizar"),
		sentences: []choice{
			say("{analyses_count|# análise recente mostra|# análises recentes mostram} onde olhar primeiro: {places}.",
				"Das últimas semanas há {analyses_count|# análise|# análises}, e o que mais aparece é: {places}.").
				or("As análises recentes mostram onde olhar primeiro: {places}.",
					"{analyses_count|# análise recente mostra|# análises recentes mostram} onde dá para economizar.",
					"As análises recentes mostram onde dá para economizar."),
			say("Neste mês, as compras somam {month_spent}, para uma renda de {household_income}.").or("Neste mês, as compras somam {month_spent}."),
			say("Escolher o primeiro ponto e começar por ele já ajuda.", "Não precisa mudar tudo: começar pelo mais fácil já ajuda."),
		},
	}
}

// placeToSave is a kind in words; "" for those that say nothing about saving. Their names come without the line below, which
// no name has.
func placeToSave(kind string) string {
	switch kind {
	case "PRICE ALERT":
		return "preços acima do costume"
	case "CATEGORY INSIGHT":
		return "categorias acima da média"
	case "MERCHANT PATTERN":
		return "lojas com compras maiores"
	case "ESSENTIAL RATIO":
		return "itens não essenciais"
	case "SEASONAL ALERT":
		return "produtos fora da época"
	case "CHILDREN SPENDING":
		return "itens para crianças"
	case "BUDGET HEALTH":
		return "o peso das compras na renda"
	case "INCOME COMMITMENT":
		return "o ritmo das compras do mês"
	case "PER CAPITA SPENDING":
		return "o gasto por pessoa"
	case "SHOPPING FREQUENCY":
		return "o número de idas às compras"
	case "WHOLESALE OPPORTUNITY":
		return "produtos para comprar em quantidade"
	}
	return ""
}

func familyNutrition(f facts) phrasing {
	var missing []string
	for _, s := range shares(f["missing_groups"], []string{"group", "name"}, nil) {
		if group := foodGroup(s.name); group != "" {
			missing = append(missing, group)
		}
	}
	f["missing"] = value{text: joined(missing, len(missing))}
	if len(missing) > 0 {
		f["first_missing"] = value{text: missing[0]}
	}
	if totals := shares(f["group_totals"], []string{"group", "name"}, []string{"total", "amount"}); len(totals) > 0 {
		f["top_group"], f["top_total"] = value{text: foodGroup(totals[0].name)}, value{text: amountText(totals[0].part)}
	}
	idea := say("Que tal incluir mais {first_missing} na próxima lista?", "Incluir mais {first_missing} aos poucos já traz variedade.")
	if children, _ := f["has_children"].(bool); children {
		idea = say("Com crianças em casa, vale incluir mais {first_missing} aos poucos.", "Escolher {first_missing} junto com as crianças pode ajudar.")
	}
	return phrasing{
		title: say("Mais variedade: {missing}", "Pouco espaço para {missing}").or("Mais variedade: {first_missing}", "Mais variedade na mesa"),
		sentences: []choice{
			say("{days_analyzed|No último dia|Nos últimos # dias}, {missing} quase não apareceram nas compras.",
				"As compras {days_analyzed|do último dia|dos últimos # dias} trouxeram pouco destes grupos: {missing}.").
				or("Nas últimas compras, {missing} quase não apareceram."),
			say("De {total_food_spending} em comida, o maior gasto foi com {top_group}: {top_total}.").or("A comida somou {total_food_spending} no período."),
			idea,
		},
	}
}

// foodGroup is a group in words, each of them a plural; "" for one that is not known.
func foodGroup(group string) string {
	switch group {
	case "GRAINS":
		return "cereais e massas"
	case "LEGUMES":
		return "feijões"
	case "VEGETABLES":
		return "hortaliças"
	case "FRUITS":
		return "frutas"
	case "DAIRY":
		return "laticínios"
	case "PROTEINS":
		return "carnes e ovos"
	case "FATS":
		return "óleos e gorduras"
	case "SWEETS":
		return "doces e petiscos"
	case "DRINKS":
		return "bebidas"
	}
	return ""
}
