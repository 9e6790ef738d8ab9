package document

import (
	"bytes"
	"regexp"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// Where an XML names its consumer.
var (
	destElement = regexp.MustCompile(`(?s)(<((?:\w+:)?)dest>)(.*?)(</(?:\w+:)?dest>)`)
	destID      = regexp.MustCompile(`<(?:\w+:)?(CPF|CNPJ)>\s*([^<\s]+)\s*</`)
	freeText    = regexp.MustCompile(`(?s)(<(?:\w+:)?(?:qrCode|infCpl|infAdFisco|xObs|xTexto)>)(.*?)(</(?:\w+:)?(?:qrCode|infCpl|infAdFisco|xObs|xTexto)>)`)
)

// scrubbedXML is the note without what tells who bought: of the consumer nothing but the masked CPF stays, and CPFs in free text
// and in the QR code's address are masked. The shop's signature is no longer good for it; nobody here asks it.
func scrubbedXML(data []byte) []byte {
	data = destElement.ReplaceAllFunc(data, func(dest []byte) []byte {
		m := destElement.FindSubmatch(dest)
		out := append([]byte{}, m[1]...)
		if id := destID.FindSubmatch(m[3]); id != nil {
			value := string(id[2])
			if string(id[1]) == "CPF" {
				value = fiscal.MaskCPF(value)
			}
			name := string(m[2]) + string(id[1])
			out = append(out, "<"+name+">"+value+"</"+name+">"...)
		}
		return append(out, m[4]...)
	})
	return freeText.ReplaceAllFunc(data, func(element []byte) []byte {
		m := freeText.FindSubmatch(element)
		return bytes.Join([][]byte{m[1], []byte(fiscal.MaskCPFs(string(m[2]))), m[3]}, nil)
	})
}
