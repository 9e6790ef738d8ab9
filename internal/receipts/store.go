package receipts

import (
	"math/rand/v2"
	"strconv"
)

// Store is a fictional shop.
type Store struct {
	Name         string // razão social
	CNPJ         string // 14 characters
	IE           string // state registration, digits
	Street       string
	StreetNumber string
	District     string
	City         string
	CityCode     string // IBGE
	CEP          string
	State        State
}

// State is what a receipt needs of a Brazilian state. Only those at UTC-3 are here: paper does not print an offset.
type State struct {
	UF   string
	Code string // IBGE, cUF
	// QRBase and KeyURL are the state's real addresses of the QR code and of the look-up by key.
	QRBase string
	KeyURL string
	City   string // its capital
	IBGE   string // of City
	CEP    string // the first five digits of one in City
}

// States are the 21 states at UTC-3.
func States() []State {
	return []State{
		{"SP", "35", "https://www.nfce.fazenda.sp.gov.br/qrcode", "https://www.nfce.fazenda.sp.gov.br/NFCeConsultaPublica", "SÃO PAULO", "3550308", "01310"},
		{"RJ", "33", "https://consultadfe.fazenda.rj.gov.br/consultaNFCe/QRCode", "www.fazenda.rj.gov.br/nfce/consulta", "RIO DE JANEIRO", "3304557", "20040"},
		{"MG", "31", "https://portalsped.fazenda.mg.gov.br/portalnfce/sistema/qrcode.xhtml", "https://portalsped.fazenda.mg.gov.br/portalnfce", "BELO HORIZONTE", "3106200", "30130"},
		{"PR", "41", "http://www.fazenda.pr.gov.br/nfce/qrcode", "http://www.fazenda.pr.gov.br/nfce/consulta", "CURITIBA", "4106902", "80020"},
		{"RS", "43", "https://www.sefaz.rs.gov.br/NFCE/NFCE-COM.aspx", "www.sefaz.rs.gov.br/nfce/consulta", "PORTO ALEGRE", "4314902", "90010"},
		{"SC", "42", "https://sat.sef.sc.gov.br/nfce/consulta", "https://sat.sef.sc.gov.br/nfce/consulta", "FLORIANÓPOLIS", "4205407", "88010"},
		{"BA", "29", "http://nfe.sefaz.ba.gov.br/servicos/nfce/qrcode.aspx", "http://www.sefaz.ba.gov.br/nfce/consulta", "SALVADOR", "2927408", "40020"},
		{"PE", "26", "http://nfce.sefaz.pe.gov.br/nfce/consulta", "nfce.sefaz.pe.gov.br/nfce/consulta", "RECIFE", "2611606", "50010"},
		{"CE", "23", "http://nfce.sefaz.ce.gov.br/pages/ShowNFCe.html", "www.sefaz.ce.gov.br/nfce/consulta", "FORTALEZA", "2304400", "60025"},
		{"ES", "32", "http://app.sefaz.es.gov.br/ConsultaNFCe/qrcode.aspx", "www.sefaz.es.gov.br/nfce/consulta", "VITÓRIA", "3205309", "29010"},
		{"DF", "53", "http://www.fazenda.df.gov.br/nfce/qrcode", "www.fazenda.df.gov.br/nfce/consulta", "BRASÍLIA", "5300108", "70040"},
		{"GO", "52", "https://nfeweb.sefaz.go.gov.br/nfeweb/sites/nfce/danfeNFCe", "www.sefaz.go.gov.br/nfce/consulta", "GOIÂNIA", "5208707", "74015"},
		{"AL", "27", "http://nfce.sefaz.al.gov.br/QRCode/consultarNFCe.jsp", "www.sefaz.al.gov.br/nfce/consulta", "MACEIÓ", "2704302", "57020"},
		{"AP", "16", "https://www.sefaz.ap.gov.br/nfce/nfcep.php", "www.sefaz.ap.gov.br/nfce/consulta", "MACAPÁ", "1600303", "68900"},
		{"MA", "21", "http://www.nfce.sefaz.ma.gov.br/portal/consultarNFCe.jsp", "www.sefaz.ma.gov.br/nfce/consulta", "SÃO LUÍS", "2111300", "65010"},
		{"PA", "15", "https://appnfc.sefa.pa.gov.br/portal/view/consultas/nfce/nfceForm.seam", "www.sefa.pa.gov.br/nfce/consulta", "BELÉM", "1501402", "66010"},
		{"PB", "25", "http://www.sefaz.pb.gov.br/nfce", "www.sefaz.pb.gov.br/nfce/consulta", "JOÃO PESSOA", "2507507", "58010"},
		{"PI", "22", "http://www.sefaz.pi.gov.br/nfce/qrcode", "www.sefaz.pi.gov.br/nfce/consulta", "TERESINA", "2211001", "64000"},
		{"RN", "24", "http://nfce.set.rn.gov.br/consultarNFCe.aspx", "www.set.rn.gov.br/nfce/consulta", "NATAL", "2408102", "59010"},
		{"SE", "28", "http://www.nfce.se.gov.br/nfce/qrcode", "http://www.nfce.se.gov.br/nfce/consulta", "ARACAJU", "2800308", "49010"},
		{"TO", "17", "http://www.sefaz.to.gov.br/nfce/qrcode", "www.sefaz.to.gov.br/nfce/consulta", "PALMAS", "1721000", "77001"},
	}
}

// storeNames are made up and say so where a real chain could be meant.
func storeNames() []string {
	return []string{
		"SUPERMERCADO EXEMPLO LTDA", "MERCADO MODELO DO BAIRRO LTDA", "ATACADO FICTÍCIO S/A", "HORTIFRUTI DE MENTIRA LTDA",
		"COMERCIAL AMOSTRA ALIMENTOS LTDA", "SUPERMERCADOS FAZ DE CONTA LTDA", "MERCEARIA DONA FICÇÃO LTDA ME",
		"EMPÓRIO PROTÓTIPO & CIA LTDA", "REDE ENSAIO DE VAREJO S/A", "MINIMERCADO SIMULADO EIRELI",
		"DISTRIBUIDORA HIPÓTESE LTDA", "COOPERATIVA DE CONSUMO FÁBULA", "PADARIA E MERCADO INVENTADO LTDA",
		"ATACAREJO TESTE GERAL LTDA", "SACOLÃO FANTASIA LTDA", "CASA DE CARNES ROTEIRO LTDA",
	}
}

// drawStore makes up a shop in one of the states.
func drawStore(rng *rand.Rand, letters bool) Store {
	state := pick(rng, States())
	return Store{
		Name: pick(rng, storeNames()), CNPJ: cnpj(rng, letters), IE: digits(rng, 9),
		Street: pick(rng, []string{
			"RUA DAS FLORES", "AV BRASIL", "RUA SETE DE SETEMBRO", "AV GETÚLIO VARGAS", "RUA DAS ACÁCIAS", "TRAVESSA DO MODELO",
			"AV DAS AMOSTRAS", "RUA PROJETADA A",
		}),
		StreetNumber: strconv.Itoa(1 + rng.IntN(4999)),
		District:     pick(rng, []string{"CENTRO", "JARDIM EXEMPLO", "VILA NOVA", "BOA VISTA", "SANTA LUZIA"}),
		City:         state.City, CityCode: state.IBGE, CEP: state.CEP + digits(rng, 3), State: state,
	}
}
