package receipts

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/encoding/charmap"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// XMLOptions are the ways in which real files of one and the same note differ. The zero value is what the state sends: an
// nfeProc in UTF-8, without prefix, on one line.
type XMLOptions struct {
	Bare   bool   // NFe alone, without nfeProc and protocol: what the shop sent
	Latin1 bool   // ISO-8859-1, and declared so
	BOM    bool   // a UTF-8 byte order mark; not with Latin1
	Prefix string // namespace prefix: "nfe" writes <nfe:infNFe>
}

const (
	nfeNamespace  = "http://www.portalfiscal.inf.br/nfe"
	dsigNamespace = "http://www.w3.org/2000/09/xmldsig#"
)

// XML is the note in the official layout 4.00, model 65. Its signature has the right form and is nobody's.
func (r Receipt) XML(o XMLOptions) ([]byte, error) {
	w := &xmlWriter{}
	if o.Prefix != "" {
		w.prefix = o.Prefix + ":"
	}
	namespace := xmlAttr(strings.TrimSuffix("xmlns:"+o.Prefix, ":"), nfeNamespace)
	if o.Bare {
		r.writeNote(w, namespace)
	} else {
		w.open("nfeProc", namespace, xmlAttr("versao", "4.00"))
		r.writeNote(w, namespace)
		r.writeProtocol(w)
		w.close("nfeProc")
	}
	declared := "UTF-8"
	if o.Latin1 {
		declared = "ISO-8859-1"
	}
	out := `<?xml version="1.0" encoding="` + declared + `"?>` + w.b.String()
	switch {
	case o.Latin1:
		encoded, err := charmap.ISO8859_1.NewEncoder().Bytes([]byte(out))
		if err != nil {
			return nil, fmt.Errorf("encode as ISO-8859-1: %w", err)
		}
		return encoded, nil
	case o.BOM:
		out = "\ufeff" + out
	}
	return []byte(out), nil
}

func (r Receipt) writeNote(w *xmlWriter, namespace string) {
	w.open("NFe", namespace)
	w.open("infNFe", xmlAttr("Id", "NFe"+string(r.Key)), xmlAttr("versao", "4.00"))
	r.writeIde(w)
	r.writeEmit(w)
	if r.ConsumerCPF != "" {
		w.open("dest")
		w.leaf("CPF", r.ConsumerCPF)
		w.leaf("indIEDest", "9")
		w.close("dest")
	}
	for _, it := range r.Items {
		r.writeItem(w, it)
	}
	r.writeTotal(w)
	w.open("transp")
	w.leaf("modFrete", r.choose(r.Freight > 0, "0", "9"))
	w.close("transp")
	r.writePayments(w)
	w.open("infAdic")
	w.leaf("infCpl", "Tributos totais Incidentes (Lei Federal 12.741/2012): R$ "+amount(r.Taxes())) //nolint:misspell // Portuguese
	w.close("infAdic")
	w.close("infNFe")
	w.open("infNFeSupl")
	w.leaf("qrCode", r.QR)
	w.leaf("urlChave", r.Store.State.KeyURL)
	w.close("infNFeSupl")
	r.writeSignature(w)
	w.close("NFe")
}

func (r Receipt) writeIde(w *xmlWriter) {
	key := string(r.Key)
	w.open("ide")
	w.leaf("cUF", key[:2])
	w.leaf("cNF", key[35:43])
	w.leaf("natOp", "VENDA DE MERCADORIA")
	w.leaf("mod", "65")
	w.leaf("serie", strconv.Itoa(r.Series))
	w.leaf("nNF", strconv.Itoa(r.Number))
	w.leaf("dhEmi", r.IssuedAt.Format(time.RFC3339))
	w.leaf("tpNF", "1")
	w.leaf("idDest", "1")
	w.leaf("cMunFG", r.Store.CityCode)
	w.leaf("tpImp", "4")
	w.leaf("tpEmis", key[34:35])
	w.leaf("cDV", key[43:])
	w.leaf("tpAmb", r.choose(r.Test, "2", "1"))
	w.leaf("finNFe", "1")
	w.leaf("indFinal", "1")
	w.leaf("indPres", r.choose(r.Freight > 0, "4", "1"))
	w.leaf("procEmi", "0")
	w.leaf("verProc", "RECEIPTS 1.0")
	if r.Offline {
		w.leaf("dhCont", r.IssuedAt.Add(-10*time.Minute).Format(time.RFC3339))
		w.leaf("xJust", "SEM CONEXAO COM A INTERNET")
	}
	w.close("ide")
}

func (r Receipt) writeEmit(w *xmlWriter) {
	st := r.Store
	w.open("emit")
	w.leaf("CNPJ", st.CNPJ)
	w.leaf("xNome", st.Name)
	w.open("enderEmit")
	w.leaf("xLgr", st.Street)
	w.leaf("nro", st.StreetNumber)
	w.leaf("xBairro", st.District)
	w.leaf("cMun", st.CityCode)
	w.leaf("xMun", st.City)
	w.leaf("UF", st.State.UF)
	w.leaf("CEP", st.CEP)
	w.leaf("cPais", "1058")
	w.leaf("xPais", "BRASIL")
	w.close("enderEmit")
	w.leaf("IE", st.IE)
	w.leaf("CRT", "1")
	w.close("emit")
}

func (r Receipt) writeItem(w *xmlWriter, it Item) {
	gtin := it.GTIN
	if gtin == "" {
		gtin = "SEM GTIN"
	}
	quantity, price := it.Quantity.StringFixed(4), it.UnitPrice.StringFixed(10)
	w.open("det", xmlAttr("nItem", strconv.Itoa(it.Line)))
	w.open("prod")
	w.leaf("cProd", it.Code)
	w.leaf("cEAN", gtin)
	w.leaf("xProd", it.Product.Description)
	w.leaf("NCM", it.Product.Department.NCM())
	w.leaf("CFOP", "5102")
	w.leaf("uCom", it.Product.Unit)
	w.leaf("qCom", quantity)
	w.leaf("vUnCom", price)
	w.money("vProd", it.Total)
	w.leaf("cEANTrib", gtin)
	w.leaf("uTrib", it.Product.Unit)
	w.leaf("qTrib", quantity)
	w.leaf("vUnTrib", price)
	w.optional("vFrete", it.FreightShare)
	w.optional("vDesc", it.Discount+it.DiscountShare)
	w.optional("vOutro", it.OtherShare)
	w.leaf("indTot", "1")
	w.close("prod")

	w.open("imposto")
	w.money("vTotTrib", it.Taxes)
	w.open("ICMS")
	w.open("ICMSSN102")
	w.leaf("orig", "0")
	w.leaf("CSOSN", "102")
	w.close("ICMSSN102")
	w.close("ICMS")
	for _, tax := range []string{"PIS", "COFINS"} {
		w.open(tax)
		w.open(tax + "NT")
		w.leaf("CST", "07")
		w.close(tax + "NT")
		w.close(tax)
	}
	w.close("imposto")
	if r.TaxReform {
		w.money("vItem", it.Total-it.Discount-it.DiscountShare+it.FreightShare+it.OtherShare)
	}
	w.close("det")
}

func (r Receipt) writeTotal(w *xmlWriter) {
	w.open("total")
	w.open("ICMSTot")
	for _, t := range []struct {
		name  string
		value fiscal.Money
	}{
		{"vBC", 0},
		{"vICMS", 0},
		{"vICMSDeson", 0},
		{"vFCP", 0},
		{"vBCST", 0},
		{"vST", 0},
		{"vFCPST", 0},
		{"vFCPSTRet", 0},
		{"vProd", r.Products()},
		{"vFrete", r.Freight},
		{"vSeg", 0},
		{"vDesc", r.TotalDiscount()},
		{"vII", 0},
		{"vIPI", 0},
		{"vIPIDevol", 0},
		{"vPIS", 0},
		{"vCOFINS", 0},
		{"vOutro", r.Other},
		{"vNF", r.Due()},
		{"vTotTrib", r.Taxes()},
	} {
		w.money(t.name, t.value)
	}
	w.close("ICMSTot")
	if r.TaxReform {
		w.money("vNFTot", r.Due())
	}
	w.close("total")
}

func (r Receipt) writePayments(w *xmlWriter) {
	w.open("pag")
	for _, p := range r.Payments {
		w.open("detPag")
		w.leaf("indPag", "0")
		w.leaf("tPag", p.Code)
		w.money("vPag", p.Amount)
		if p.Code == "03" || p.Code == "04" {
			w.open("card")
			w.leaf("tpIntegra", "2")
			w.close("card")
		}
		w.close("detPag")
	}
	w.money("vTroco", r.Change)
	w.close("pag")
}

func (r Receipt) writeSignature(w *xmlWriter) {
	prefix := w.prefix
	w.prefix = "" // the signature brings its own namespace
	w.open("Signature", xmlAttr("xmlns", dsigNamespace))
	w.open("SignedInfo")
	w.open("CanonicalizationMethod", xmlAttr("Algorithm", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"))
	w.close("CanonicalizationMethod")
	w.open("SignatureMethod", xmlAttr("Algorithm", dsigNamespace+"rsa-sha1"))
	w.close("SignatureMethod")
	w.open("Reference", xmlAttr("URI", "#NFe"+string(r.Key)))
	w.open("Transforms")
	for _, a := range []string{dsigNamespace + "enveloped-signature", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"} {
		w.open("Transform", xmlAttr("Algorithm", a))
		w.close("Transform")
	}
	w.close("Transforms")
	w.open("DigestMethod", xmlAttr("Algorithm", dsigNamespace+"sha1"))
	w.close("DigestMethod")
	w.leaf("DigestValue", r.Digest)
	w.close("Reference")
	w.close("SignedInfo")
	w.leaf("SignatureValue", r.Signature)
	w.open("KeyInfo")
	w.open("X509Data")
	w.leaf("X509Certificate", "RklDVElUSU9VUw==") // "FICTITIOUS"
	w.close("X509Data")
	w.close("KeyInfo")
	w.close("Signature")
	w.prefix = prefix
}

func (r Receipt) writeProtocol(w *xmlWriter) {
	w.open("protNFe", xmlAttr("versao", "4.00"))
	w.open("infProt", xmlAttr("Id", "ID"+r.Protocol))
	w.leaf("tpAmb", r.choose(r.Test, "2", "1"))
	w.leaf("verAplic", r.Store.State.UF+"NFCE_4_00")
	w.leaf("chNFe", string(r.Key))
	w.leaf("dhRecbto", r.Authorized.Format(time.RFC3339))
	w.leaf("nProt", r.Protocol)
	w.leaf("digVal", r.Digest)
	w.leaf("cStat", "100")
	w.leaf("xMotivo", "Autorizado o uso da NF-e")
	w.close("infProt")
	w.close("protNFe")
}

func (Receipt) choose(when bool, then, otherwise string) string {
	if when {
		return then
	}
	return otherwise
}

// xmlWriter writes elements by hand: encoding/xml cannot write prefixes, and the layout is a fixed order of elements.
type xmlWriter struct {
	b      bytes.Buffer
	prefix string // with its colon
}

func xmlAttr(name, value string) string { return " " + name + `="` + escape(value) + `"` }

func (w *xmlWriter) open(name string, attrs ...string) {
	w.b.WriteString("<" + w.prefix + name + strings.Join(attrs, "") + ">")
}

func (w *xmlWriter) close(name string) { w.b.WriteString("</" + w.prefix + name + ">") }

func (w *xmlWriter) leaf(name, value string) {
	w.open(name)
	w.b.WriteString(escape(value))
	w.close(name)
}

func (w *xmlWriter) money(name string, m fiscal.Money) { w.leaf(name, m.Decimal().StringFixed(2)) }

// optional leaves a zero out, as the layout asks.
func (w *xmlWriter) optional(name string, m fiscal.Money) {
	if m != 0 {
		w.money(name, m)
	}
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder does not fail
	return b.String()
}
