import type { AnalysisStatus, InsightKind, Measure, Priority, SkipReason } from '../graphql/generated/graphql';

export const KIND: Record<InsightKind, string> = {
  PRICE_ALERT: 'Alerta de preço',
  CATEGORY_INSIGHT: 'Gasto por categoria',
  MERCHANT_PATTERN: 'Padrão da loja',
  SUMMARY: 'Resumo da compra',
  ESSENTIAL_RATIO: 'Essencial e não essencial',
  SEASONAL_ALERT: 'Fora de época',
  CHILDREN_SPENDING: 'Gastos com crianças',
  BUDGET_HEALTH: 'Mercado e renda',
  INCOME_COMMITMENT: 'Renda comprometida',
  PER_CAPITA_SPENDING: 'Gasto por pessoa',
  SHOPPING_FREQUENCY: 'Frequência de compras',
  WHOLESALE_OPPORTUNITY: 'Compra no atacado',
  SAVINGS_POTENTIAL: 'Quanto dá para poupar',
  FAMILY_NUTRITION: 'Alimentação da família',
};

export const PRIORITY: Record<Priority, { label: string; tone: 'bad' | 'warn' | 'good' | 'muted' }> = {
  CRITICAL: { label: 'Urgente', tone: 'bad' },
  HIGH: { label: 'Importante', tone: 'warn' },
  MEDIUM: { label: 'Vale olhar', tone: 'good' },
  LOW: { label: 'Bom saber', tone: 'muted' },
};

export const ANALYSIS: Record<AnalysisStatus, string> = {
  QUEUED: 'Análise em andamento…',
  COMPLETED: 'Analisada',
  SKIPPED: 'Não analisada',
  FAILED: 'A análise não deu certo. Tente de novo.',
};

export const SKIP: Record<SkipReason, string> = {
  NOT_PREMIUM: 'As análises fazem parte do plano premium.',
  BELOW_MINIMUM_VALUE: 'O valor da compra é baixo demais para uma análise.',
  ALREADY_ANALYZED: 'Já foi analisada, e os itens não mudaram desde então.',
};

export const MEASURE: Record<Measure, string> = { KG: 'quilo', L: 'litro', UN: 'unidade' };

/** What a household has not told. */
export const MISSING: Record<string, string> = {
  income: 'a renda da família',
  children: 'quantas crianças há na família',
};

export const FOOD_GROUP: Record<string, string> = {
  GRAINS: 'Grãos, pães e massas',
  LEGUMES: 'Feijões e castanhas',
  VEGETABLES: 'Verduras e legumes',
  FRUITS: 'Frutas',
  DAIRY: 'Leite e derivados',
  PROTEINS: 'Carnes, peixes e ovos',
  FATS: 'Óleos e gorduras',
  SWEETS: 'Doces e petiscos',
  DRINKS: 'Bebidas',
};

/** The fields of insights' details. */
export const DETAIL: Record<string, string> = {
  accumulated: 'Gasto até agora',
  analyses_count: 'Análises no mês',
  analysis_types: 'Tipos de análise',
  average_monthly: 'Média por mês',
  average_price: 'Preço médio',
  avg_previous_months: 'Média dos meses anteriores',
  avg_ticket: 'Valor médio da compra',
  categories: 'Por categoria',
  category: 'Categoria',
  category_avg_ticket: 'Compra média em lojas parecidas',
  change_percent: 'Mudança',
  child_items_count: 'Itens para crianças',
  child_total: 'Gasto com crianças',
  children_count: 'Crianças',
  cost_per_child: 'Por criança',
  current_avg_ticket: 'Compra média nesta loja',
  current_month: 'Mês',
  current_month_total: 'Total deste mês',
  current_price: 'Preço agora',
  daily_rate: 'Gasto por dia',
  days_analyzed: 'Dias olhados',
  days_bought: 'Dias em que foi comprado',
  days_elapsed: 'Dias passados',
  days_remaining: 'Dias que faltam',
  difference_percent: 'Diferença',
  essential_total: 'Essencial',
  estimated_monthly_savings: 'Economia estimada por mês',
  family_size_weighted: 'Tamanho da família (criança vale menos)',
  frequency: 'Frequência',
  frequent_products: 'Produtos frequentes',
  group_percentages: 'Participação de cada grupo',
  group_totals: 'Total de cada grupo',
  has_children: 'Há crianças',
  history_count: 'Compras comparadas',
  household_income: 'Renda da família',
  income_per_capita: 'Renda por pessoa',
  income_percent: 'Parte da renda',
  income_percent_non_essential: 'Não essencial na renda',
  invoice_count: 'Compras',
  item_count: 'Itens',
  lowest_price: 'Menor preço em doze meses',
  measure: 'Medida',
  merchant: 'Loja',
  merchant_category: 'Tipo de loja',
  merchant_count: 'Lojas',
  merchant_name: 'Loja',
  missing_groups: 'Grupos que faltam',
  month_spent: 'Gasto do mês',
  month_total: 'Total do mês',
  monthly_savings: 'Economia por mês',
  months_analyzed: 'Meses comparados',
  non_essential_percent: 'Parte não essencial',
  non_essential_total: 'Não essencial',
  off_season_items: 'Itens fora de época',
  pattern_count: 'Produtos que se repetem',
  per_capita_avg_3m: 'Por pessoa, média de três meses',
  per_capita_current: 'Por pessoa, últimos trinta dias',
  percent_accumulated: 'Parte da renda até agora',
  percent_of_income: 'Parte da renda',
  premium: 'Pago a mais',
  price_difference_percent: 'Diferença de preço',
  produce_count: 'Frutas e verduras na compra',
  product: 'Produto',
  projected_percent: 'Previsão em parte da renda',
  projected_total: 'Previsão do mês',
  quantity: 'Quantidade',
  savings_percent_income: 'Economia em parte da renda',
  small_purchase_count: 'Compras abaixo de R$ 30',
  threshold_percent: 'Limite recomendado',
  total: 'Total',
  total_food_spending: 'Gasto com alimentos',
  total_premium: 'Total pago a mais',
  total_value: 'Total da compra',
  visit_count: 'Visitas',
};

export const FREQUENCY: Record<string, string> = {
  weekly: 'toda semana',
  fortnightly: 'a cada duas semanas',
  occasional: 'de vez em quando',
};
