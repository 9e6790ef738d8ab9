// Package document says what is in a submitted file before any model is asked: what kind of file it is by its content alone,
// the whole purchase of an NF-e or NFC-e XML, the text and the pages of a PDF, the QR code on a picture, and pictures made
// ready for a provider: upright, free of metadata, scaled. It also makes the perceptual hash that tells the same picture sent
// twice. Everything that arrives here is hostile until read: sizes are checked before decoding, HEIC and PDF are decoded in
// WebAssembly sandboxes, and what is wrong with a file is an *invoice.Error with a sentence for the family.
//
// What a figure means, whether the figures agree, and what to do with a document that says too little is left to
// internal/invoice and to the providers.
package document
