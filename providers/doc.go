// Package providers turns the pages of a document into a draft purchase by asking provider plugins. Chain implements
// invoice.Extractor: it asks the providers in order, until one gives a reading that the ledger accepts, and keeps the best.
// Host finds, verifies, starts, watches and kills the plugin processes, and hands each out as an sdk.Provider. Storing,
// queueing and the ledger itself are left to others; so is what a vendor's API looks like, which only its plugin knows.
package providers
