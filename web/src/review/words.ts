import type { CheckName } from '../graphql/generated/graphql';
import type { LineField, NoteField } from './draft';

export const NOTE_LABELS: Record<NoteField, string> = {
  issuerName: 'Loja',
  issuerCnpj: 'CNPJ',
  issuedAt: 'Data e hora',
  accessKey: 'Chave de acesso',
  number: 'Número',
  series: 'Série',
  products: 'Total dos produtos',
  discount: 'Descontos',
  freight: 'Frete',
  insurance: 'Seguro',
  other: 'Acréscimos',
  taxes: 'Impostos somados',
  due: 'Valor a pagar',
  paid: 'Valor pago',
  change: 'Troco',
};

export const LINE_LABELS: Record<LineField, string> = {
  description: 'Descrição na nota',
  quantity: 'Quantidade',
  unit: 'Unidade',
  unitPrice: 'Preço unitário',
  total: 'Total',
  discount: 'Desconto',
  productName: 'Produto',
  category: 'Categoria',
  gtin: 'Código de barras',
};

/** What a failed check found, and the place in the page where it is shown. */
export const CHECKS: Record<CheckName, { text: string; at: NoteField | 'items' | 'payments' | 'note' }> = {
  HAS_ITEMS: { text: 'A nota está sem itens.', at: 'items' },
  HAS_AMOUNT_DUE: { text: 'Falta o valor a pagar.', at: 'due' },
  AMOUNT_SIGN: { text: 'Há um valor ou uma quantidade abaixo de zero.', at: 'items' },
  ACCESS_KEY: { text: 'A chave de acesso não confere.', at: 'accessKey' },
  KEY_ISSUER: { text: 'O CNPJ não é o da chave de acesso.', at: 'issuerCnpj' },
  KEY_MODEL: { text: 'O modelo não é o da chave de acesso.', at: 'accessKey' },
  KEY_SERIES: { text: 'A série não é a da chave de acesso.', at: 'series' },
  KEY_NUMBER: { text: 'O número não é o da chave de acesso.', at: 'number' },
  KEY_DATE: { text: 'O mês não é o da chave de acesso.', at: 'issuedAt' },
  KEY_STATE: { text: 'O estado não é o da chave de acesso.', at: 'accessKey' },
  ISSUER_CNPJ: { text: 'O CNPJ não existe.', at: 'issuerCnpj' },
  ITEM_GTIN: { text: 'O código de barras não confere.', at: 'items' },
  ITEM_TOTAL: { text: 'Quantidade vezes preço não dá o total.', at: 'items' },
  PRODUCTS_TOTAL: { text: 'A soma dos itens não dá o total dos produtos.', at: 'products' },
  DISCOUNT_TOTAL: { text: 'A soma dos descontos dos itens não dá os descontos da nota.', at: 'discount' },
  AMOUNT_DUE: { text: 'Produtos, descontos e acréscimos não dão o valor a pagar.', at: 'due' },
  PAYMENTS: { text: 'Os pagamentos menos o troco não dão o valor a pagar.', at: 'payments' },
  ITEM_COUNT: { text: 'A quantidade de itens não é a que a nota diz.', at: 'items' },
  QR_KEY: { text: 'A chave não é a do QR code.', at: 'accessKey' },
  QR_AMOUNT: { text: 'O valor não é o do QR code.', at: 'due' },
  QR_DAY: { text: 'O dia não é o do QR code.', at: 'issuedAt' },
  QR_STATE: { text: 'O QR code leva a outro estado.', at: 'accessKey' },
  ISSUE_DATE: { text: 'A data não é possível.', at: 'issuedAt' },
  REAL_DOCUMENT: { text: 'A nota é um teste do sistema da loja.', at: 'note' },
  OFFICIAL_RECORD: { text: 'A loja cancelou a nota, segundo a SEFAZ.', at: 'note' },
};

const OTHER_FIELDS: Record<string, string> = {
  'issuer.name': NOTE_LABELS.issuerName,
  'issuer.cnpj': NOTE_LABELS.issuerCnpj,
  'issuer.state': 'Estado',
  items: 'Item',
  'items.code': 'Código da loja',
  itemCount: 'Quantidade de itens',
  model: 'Modelo',
  payments: 'Pagamentos',
  testDocument: 'Nota de teste',
};

/** The name for people of a field in a revision: "totals.due", "items.unitPrice". */
export function fieldLabel(field: string): string {
  const known = OTHER_FIELDS[field];
  if (known !== undefined) return known;
  const name = field.slice(field.lastIndexOf('.') + 1);
  const labels: Record<string, string> = field.startsWith('items.') ? LINE_LABELS : NOTE_LABELS;
  return labels[name] ?? field;
}
