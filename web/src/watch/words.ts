import type { DuplicateReason, PaymentMethod, Source, Status } from '../graphql/generated/graphql';

/** The schema's names in words for people. */
export const STATUS: Record<Status, { label: string; tone: 'good' | 'warn' | 'bad' | 'muted' }> = {
  QUEUED: { label: 'Na fila', tone: 'muted' },
  PROCESSING: { label: 'Lendo…', tone: 'muted' },
  NEEDS_REVIEW: { label: 'Para revisar', tone: 'warn' },
  COMPLETED: { label: 'Completa', tone: 'good' },
  FAILED: { label: 'Não foi lida', tone: 'bad' },
  CANCELLED: { label: 'Cancelada', tone: 'muted' },
};

export const SOURCE: Record<Source, string> = {
  XML: 'XML da nota',
  SEFAZ: 'registro da SEFAZ',
  PDF: 'texto do PDF',
  MODEL: 'leitura por inteligência artificial',
  OCR: 'reconhecimento de texto',
  MANUAL: 'corrigida por você',
};

export const DUPLICATE: Record<DuplicateReason, string> = {
  SAME_BYTES: 'É o mesmo arquivo.',
  SAME_PICTURE: 'A foto parece a mesma.',
  SAME_ACCESS_KEY: 'A chave de acesso é a mesma.',
  SAME_PURCHASE: 'Loja, horário e valor são os mesmos.',
};

export const PAYMENT: Record<PaymentMethod, string> = {
  CASH: 'Dinheiro',
  CHEQUE: 'Cheque',
  CREDIT_CARD: 'Cartão de crédito',
  DEBIT_CARD: 'Cartão de débito',
  STORE_CREDIT: 'Crédito da loja',
  FOOD_VOUCHER: 'Vale-alimentação',
  MEAL_VOUCHER: 'Vale-refeição',
  GIFT_VOUCHER: 'Vale-presente',
  FUEL_VOUCHER: 'Vale-combustível',
  BOLETO: 'Boleto',
  DEPOSIT: 'Depósito',
  PIX: 'Pix',
  WALLET: 'Transferência ou carteira digital',
  LOYALTY: 'Programa de fidelidade',
  NONE: 'Sem pagamento',
  OTHER: 'Outro',
};
