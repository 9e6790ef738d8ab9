import { cacheExchange, type KeyingConfig } from '@urql/exchange-graphcache';

/** Types without an id of their own live inside the object that holds them. cache.test.ts compares this list with the schema. */
export const EMBEDDED = [
  'PluginReload',
  'Provider',
  'WorkerReload',
  'Analysis',
  'AnalysisGap',
  'BasketOffer',
  'BasketPrice',
  'Change',
  'Check',
  'Consent',
  'DayUsage',
  'Duplicate',
  'ExtractionEvent',
  'Failure',
  'Household',
  'InsightConnection',
  'InsightEdge',
  'InvoiceConnection',
  'InvoiceEdge',
  'Issuer',
  'Attempt',
  'Merchant',
  'ModelUsage',
  'Money',
  'PageInfo',
  'Payment',
  'PricePoint',
  'ProductConnection',
  'ProductEdge',
  'PurchaseExport',
  'Revision',
  'Session',
  'SpendingGroupTotal',
  'SpendingReport',
  'Totals',
  'UsageReport',
  'UsdAmount',
];

/** The normalised cache of one person: what an event or a mutation brings is shown everywhere. */
export function makeCache() {
  const keys: KeyingConfig = Object.fromEntries(EMBEDDED.map((type) => [type, () => null]));
  return cacheExchange({
    keys,
    updates: {
      Mutation: {
        deleteInvoice: (_result, args, cache) => {
          cache.invalidate({ __typename: 'Invoice', id: (args as { input: { invoiceId: string } }).input.invoiceId });
        },
        signOutDevice: (_result, args, cache) => {
          cache.invalidate({ __typename: 'SignIn', id: (args as { input: { signInId: string } }).input.signInId });
        },
        changePassword: (_result, _args, cache) => {
          cache.invalidate('Query', 'signIns');
        },
      },
    },
  });
}
