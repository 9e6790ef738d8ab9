import type { PaymentMethod, ReviewedFragment } from '../graphql/generated/graphql';
import { editDecimal, editMoney } from '../ui/decimal';
import { editMoment } from './moment';

/** What the person is editing: texts as they stand in the inputs. */
export interface Draft {
  note: Record<NoteField, string>;
  payments: PaymentDraft[];
  lines: LineDraft[];
}

export type NoteField = 'issuerName' | 'issuerCnpj' | 'issuedAt' | 'accessKey' | 'number' | 'series' | TotalField;
export type TotalField = (typeof TOTALS)[number];
export type LineField = (typeof LINE_FIELDS)[number];

export const TOTALS = [
  'products',
  'discount',
  'freight',
  'insurance',
  'other',
  'taxes',
  'due',
  'paid',
  'change',
] as const;
/** In the order of the table's cells. */
export const LINE_FIELDS = [
  'description',
  'quantity',
  'unit',
  'unitPrice',
  'total',
  'discount',
  'productName',
  'category',
  'gtin',
] as const;

export interface PaymentDraft {
  method: PaymentMethod;
  amount: string;
}

export interface LineDraft extends Record<LineField, string> {
  /** The item's id; for a new line any text of its own. */
  key: string;
  /** The printed number; 0 for a new line. */
  number: number;
  removed: boolean;
}

/** What an invoice says, as a draft that nobody has touched. */
export function toDraft(invoice: ReviewedFragment): Draft {
  const { issuer, totals } = invoice;
  return {
    note: {
      issuerName: issuer.name ?? '',
      issuerCnpj: formatCnpj(issuer.cnpj ?? ''),
      issuedAt: invoice.issuedAt == null ? '' : editMoment(invoice.issuedAt),
      accessKey: formatKey(invoice.accessKey ?? ''),
      number: invoice.number == null ? '' : String(invoice.number),
      series: invoice.series == null ? '' : String(invoice.series),
      products: totals.products ? editMoney(totals.products.centavos) : '',
      discount: editMoney(totals.discount.centavos),
      freight: editMoney(totals.freight.centavos),
      insurance: editMoney(totals.insurance.centavos),
      other: editMoney(totals.other.centavos),
      taxes: editMoney(totals.taxes.centavos),
      due: totals.due ? editMoney(totals.due.centavos) : '',
      paid: totals.paid ? editMoney(totals.paid.centavos) : '',
      change: editMoney(totals.change.centavos),
    },
    payments: invoice.payments.map((p) => ({ method: p.method, amount: editMoney(p.amount.centavos) })),
    lines: invoice.items.map((it) => ({
      key: it.id,
      number: it.lineNumber,
      removed: false,
      description: it.description,
      quantity: editDecimal(it.quantity),
      unit: it.unit ?? '',
      unitPrice: editDecimal(it.unitPrice),
      total: editMoney(it.total.centavos),
      discount: editMoney(it.discount.centavos),
      productName: it.product?.name ?? '',
      category: it.category ?? '',
      gtin: it.gtin ?? '',
    })),
  };
}

let added = 0;

/** A line that the reading missed. */
export function newLine(): LineDraft {
  return {
    key: `new-${++added}`,
    number: 0,
    removed: false,
    description: '',
    quantity: '1',
    unit: 'UN',
    unitPrice: '',
    total: '',
    discount: '0,00',
    productName: '',
    category: '',
    gtin: '',
  };
}

export const isNew = (line: LineDraft): boolean => line.number === 0;

/** "11.222.333/0001-81" */
export function formatCnpj(cnpj: string): string {
  return cnpj.length === 14
    ? `${cnpj.slice(0, 2)}.${cnpj.slice(2, 5)}.${cnpj.slice(5, 8)}/${cnpj.slice(8, 12)}-${cnpj.slice(12)}`
    : cnpj;
}

/** Groups of four, as printed. */
export const formatKey = (key: string): string => key.replace(/(.{4})(?=.)/g, '$1 ');
