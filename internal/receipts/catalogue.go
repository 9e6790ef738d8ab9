package receipts

import (
	"fmt"
	"strconv"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// Product is what a shop sells.
type Product struct {
	Description string // as a till prints it
	Unit        string
	Price       fiscal.Money // a usual price of the unit, from which prices are drawn
	Department  Department
	// Seq is the product's place in the catalogue, from 1. Its numbers are made from it.
	Seq int
}

// Department groups products.
type Department string

// The departments.
const (
	DepartmentDairy    Department = "dairy"
	DepartmentGrains   Department = "grains"
	DepartmentPantry   Department = "pantry"
	DepartmentSnacks   Department = "snacks"
	DepartmentBakery   Department = "bakery"
	DepartmentProduce  Department = "produce"
	DepartmentMeat     Department = "meat"
	DepartmentDrinks   Department = "drinks"
	DepartmentCleaning Department = "cleaning"
	DepartmentHygiene  Department = "hygiene"
	DepartmentPet      Department = "pet"
)

// NCM is the official commodity code of the department's goods: real codes, one per department.
func (d Department) NCM() string {
	switch d {
	case DepartmentDairy:
		return "04012010"
	case DepartmentGrains:
		return "10063021"
	case DepartmentPantry:
		return "17019900"
	case DepartmentSnacks:
		return "19053100"
	case DepartmentBakery:
		return "19059090"
	case DepartmentProduce:
		return "07020000"
	case DepartmentMeat:
		return "02023000"
	case DepartmentDrinks:
		return "22021000"
	case DepartmentCleaning:
		return "34025000"
	case DepartmentHygiene:
		return "33061000"
	case DepartmentPet:
		return "23091000"
	}
	return "21069090"
}

// Weighed says that the product is sold by weight, on the shop's own scale.
func (p Product) Weighed() bool { return p.Unit == "KG" }

// GTIN is the product's fictional number, or "" for what has none: weighed goods and loose fruit.
func (p Product) GTIN() string {
	if p.Weighed() || p.Department == DepartmentProduce || p.Unit == "MC" {
		return ""
	}
	// 789 and 790 are Brazil's prefixes; the makers behind the digits do not exist.
	return gtin13(fmt.Sprintf("%d%04d%05d", 789+p.Seq%2, 9000+p.Seq%1000, 10007*p.Seq%100000))
}

// StoreCode is the shop's own number: 2xxxx for what is weighed in the shop, five or six digits for the rest.
func (p Product) StoreCode() string {
	if p.Weighed() {
		return fmt.Sprintf("2%04d", (37*p.Seq+11)%10000)
	}
	return strconv.Itoa(1000 + (7919*p.Seq)%180000)
}

// Catalogue is the products of every fictional shop.
func Catalogue() []Product {
	products := []Product{
		{"LEITE INT ITALAC 1L", "UN", 549, DepartmentDairy, 0},
		{"LEITE DESN PIRACANJUBA 1L", "UN", 579, DepartmentDairy, 0},
		{"LEITE SEMI PARMALAT 1L", "UN", 569, DepartmentDairy, 0},
		{"LEITE PO NINHO 380G", "UN", 1899, DepartmentDairy, 0},
		{"LEITE COND MOCA LT 395G", "UN", 799, DepartmentDairy, 0},
		{"CREME LEITE PIRACANJUBA 200G", "UN", 349, DepartmentDairy, 0},
		{"IOG NESTLE MOR 170G", "UN", 319, DepartmentDairy, 0},
		{"IOG GREGO VIGOR TRAD 90G", "UN", 289, DepartmentDairy, 0},
		{"BEB LACT DANONE 850G", "UN", 899, DepartmentDairy, 0},
		{"LEITE FERM YAKULT 6X80G", "PCT", 1199, DepartmentDairy, 0},
		{"MANT AVIACAO C/SAL 200G", "UN", 1399, DepartmentDairy, 0},
		{"MARG QUALY C/SAL 500G", "UN", 799, DepartmentDairy, 0},
		{"REQ CREM CATUPIRY 200G", "UN", 999, DepartmentDairy, 0},
		{"QJO MUSS FAT KG", "KG", 4990, DepartmentDairy, 0},
		{"QJO PRATO PECA KG", "KG", 5290, DepartmentDairy, 0},
		{"QJO MINAS FRESCAL KG", "KG", 3990, DepartmentDairy, 0},
		{"QJO PARM RALADO 50G", "UN", 549, DepartmentDairy, 0},
		{"RICOTA FRESCA 400G", "UN", 1290, DepartmentDairy, 0},
		{"ARROZ TIO JOAO T1 5KG", "PCT", 3190, DepartmentGrains, 0},
		{"ARROZ CAMIL T1 1KG", "PCT", 649, DepartmentGrains, 0},
		{"ARROZ PARBOILIZADO 5KG", "PCT", 2890, DepartmentGrains, 0},
		{"FEIJAO CARIOCA KICALDO 1KG", "PCT", 869, DepartmentGrains, 0},
		{"FEIJAO PRETO CAMIL 1KG", "PCT", 899, DepartmentGrains, 0},
		{"LENTILHA YOKI 500G", "PCT", 999, DepartmentGrains, 0},
		{"GRAO DE BICO 500G", "PCT", 1149, DepartmentGrains, 0},
		{"MAC ESPAG ADRIA 500G", "PCT", 429, DepartmentGrains, 0},
		{"MAC PARAFUSO BARILLA 500G", "PCT", 649, DepartmentGrains, 0},
		{"MAC INST NISSIN GALINHA 85G", "UN", 269, DepartmentGrains, 0},
		{"FARINHA TRIGO D.BENTA 1KG", "PCT", 579, DepartmentGrains, 0},
		{"FARINHA MAND TORRADA 500G", "PCT", 499, DepartmentGrains, 0},
		{"FUBA MIMOSO SINHA 1KG", "PCT", 449, DepartmentGrains, 0},
		{"FAROFA PRONTA YOKI 400G", "PCT", 729, DepartmentGrains, 0},
		{"AVEIA QUAKER FLOCOS 170G", "CX", 459, DepartmentGrains, 0},
		{"CUSCUZ FLOCAO 500G", "PCT", 279, DepartmentGrains, 0},
		{"TAPIOCA GOMA 500G", "PCT", 599, DepartmentGrains, 0},
		{"MILHO PIPOCA YOKI 500G", "PCT", 489, DepartmentGrains, 0},
		{"ACUCAR UNIAO REF 1KG", "PCT", 479, DepartmentPantry, 0},
		{"ACUCAR CRISTAL 5KG", "PCT", 1899, DepartmentPantry, 0},
		{"SAL REF CISNE 1KG", "PCT", 299, DepartmentPantry, 0},
		{"CAFE PILAO TRAD 500G", "PCT", 1875, DepartmentPantry, 0},
		{"CAFE 3 CORACOES 250G", "PCT", 1099, DepartmentPantry, 0},
		{"CAFE SOL NESCAFE 100G", "UN", 1990, DepartmentPantry, 0},
		{"OLEO SOJA LIZA 900ML", "UN", 749, DepartmentPantry, 0},
		{"AZEITE GALLO EXT VIRG 500ML", "UN", 3990, DepartmentPantry, 0},
		{"VINAGRE ALCOOL CASTELO 750ML", "UN", 289, DepartmentPantry, 0},
		{"MOLHO TOM POMAROLA 300G", "UN", 319, DepartmentPantry, 0},
		{"EXT TOMATE ELEFANTE 340G", "UN", 599, DepartmentPantry, 0},
		{"MAIONESE HELLMANNS 500G", "UN", 999, DepartmentPantry, 0},
		{"CATCHUP HEINZ 397G", "UN", 1249, DepartmentPantry, 0},
		{"MOSTARDA HEMMER 200G", "UN", 599, DepartmentPantry, 0},
		{"MILHO VERDE QUERO LT 170G", "UN", 399, DepartmentPantry, 0},
		{"ERVILHA QUERO LT 170G", "UN", 379, DepartmentPantry, 0},
		{"ATUM RALADO GOMES 170G", "UN", 799, DepartmentPantry, 0},
		{"SARDINHA COQUEIRO 125G", "UN", 599, DepartmentPantry, 0},
		{"AZEITONA VERDE S/CAR 150G", "UN", 699, DepartmentPantry, 0},
		{"PALMITO PUPUNHA 300G", "UN", 1899, DepartmentPantry, 0},
		{"TEMPERO SAZON VERM 60G", "UN", 529, DepartmentPantry, 0},
		{"CALDO KNORR GALINHA 57G", "UN", 299, DepartmentPantry, 0},
		{"OREGANO KITANO 10G", "UN", 349, DepartmentPantry, 0},
		{"COLORAU 100G", "UN", 249, DepartmentPantry, 0},
		{"GELEIA MORANGO 320G", "UN", 1190, DepartmentPantry, 0},
		{"MEL SILVESTRE 280G", "UN", 1890, DepartmentPantry, 0},
		{"ACHOC PO TODDY 370G", "UN", 899, DepartmentPantry, 0},
		{"GELATINA ROYAL MOR 20G", "UN", 179, DepartmentPantry, 0},
		{"FERM PO ROYAL 100G", "UN", 459, DepartmentPantry, 0},
		{"LEITE COCO SOCOCO 200ML", "UN", 449, DepartmentPantry, 0},
		{"BISC RECH BAUDUCCO CHOC 140G", "UN", 299, DepartmentSnacks, 0},
		{"BISC CREAM CRACKER 350G", "UN", 549, DepartmentSnacks, 0},
		{"BISC MAISENA 350G", "UN", 499, DepartmentSnacks, 0},
		{"WAFER MORANGO 115G", "UN", 329, DepartmentSnacks, 0},
		{"SALG DORITOS 84G", "UN", 899, DepartmentSnacks, 0},
		{"BAT PALHA YOKI 105G", "UN", 799, DepartmentSnacks, 0},
		{"CHOC LACTA AO LEITE 80G", "UN", 699, DepartmentSnacks, 0},
		{"CHOC BIS 100G", "CX", 749, DepartmentSnacks, 0},
		{"CHOC M&M 45G", "UN", 459, DepartmentSnacks, 0},
		{"BALA FREEGELLS 28G", "UN", 199, DepartmentSnacks, 0},
		{"PACOCA ROLHA 50UN", "UN", 1990, DepartmentSnacks, 0},
		{"AMENDOIM JAP DORI 145G", "UN", 599, DepartmentSnacks, 0},
		{"CEREAL SUCRILHOS 320G", "CX", 1499, DepartmentSnacks, 0},
		{"BARRA CEREAL NUTRY 22G", "UN", 199, DepartmentSnacks, 0},
		{"PAO FORMA PULLMAN 480G", "UN", 899, DepartmentSnacks, 0},
		{"TORRADA BAUDUCCO 142G", "UN", 499, DepartmentSnacks, 0},
		{"BOLO ANA MARIA CHOC 70G", "UN", 349, DepartmentSnacks, 0},
		{"SORVETE KIBON 1,5L", "UN", 2990, DepartmentSnacks, 0},
		{"PÃO FRANCÊS KG", "KG", 1590, DepartmentBakery, 0},
		{"PAO QUEIJO CONG 400G", "PCT", 1290, DepartmentBakery, 0},
		{"BOLO FUBA CASEIRO KG", "KG", 2490, DepartmentBakery, 0},
		{"ROSCA COCO", "UN", 1190, DepartmentBakery, 0},
		{"SONHO DOCE CREME", "UN", 549, DepartmentBakery, 0},
		{"PAO DE LEITE KG", "KG", 2190, DepartmentBakery, 0},
		{"BANANA PRATA KG", "KG", 649, DepartmentProduce, 0},
		{"BANANA NANICA KG", "KG", 499, DepartmentProduce, 0},
		{"MAÇÃ GALA KG", "KG", 1098, DepartmentProduce, 0},
		{"MAMÃO FORMOSA KG", "KG", 799, DepartmentProduce, 0},
		{"LARANJA PERA KG", "KG", 449, DepartmentProduce, 0},
		{"LIMAO TAHITI KG", "KG", 599, DepartmentProduce, 0},
		{"MELANCIA KG", "KG", 299, DepartmentProduce, 0},
		{"MANGA PALMER KG", "KG", 749, DepartmentProduce, 0},
		{"UVA THOMPSON 500G", "BDJ", 1190, DepartmentProduce, 0},
		{"MORANGO", "BDJ", 899, DepartmentProduce, 0},
		{"ABACAXI PEROLA", "UN", 899, DepartmentProduce, 0},
		{"TOMATE ITALIANO KG", "KG", 998, DepartmentProduce, 0},
		{"CEBOLA KG", "KG", 549, DepartmentProduce, 0},
		{"BATATA LAVADA KG", "KG", 599, DepartmentProduce, 0},
		{"CENOURA KG", "KG", 449, DepartmentProduce, 0},
		{"ALHO GRANEL KG", "KG", 3290, DepartmentProduce, 0},
		{"ABOBRINHA KG", "KG", 549, DepartmentProduce, 0},
		{"PIMENTAO VERDE KG", "KG", 899, DepartmentProduce, 0},
		{"PEPINO JAPONES KG", "KG", 599, DepartmentProduce, 0},
		{"CHUCHU KG", "KG", 399, DepartmentProduce, 0},
		{"BETERRABA KG", "KG", 499, DepartmentProduce, 0},
		{"MANDIOCA KG", "KG", 549, DepartmentProduce, 0},
		{"BATATA DOCE KG", "KG", 499, DepartmentProduce, 0},
		{"ALFACE CRESPA", "UN", 349, DepartmentProduce, 0},
		{"COUVE MANTEIGA", "MC", 299, DepartmentProduce, 0},
		{"CHEIRO VERDE", "MC", 279, DepartmentProduce, 0},
		{"BROCOLIS NINJA", "UN", 699, DepartmentProduce, 0},
		{"OVOS BRANCOS 12UN", "BDJ", 1090, DepartmentProduce, 0},
		{"OVOS VERM 20UN", "BDJ", 1890, DepartmentProduce, 0},
		{"FILE PEITO FGO RESF KG", "KG", 2290, DepartmentMeat, 0},
		{"COXA SOBRECOXA FGO KG", "KG", 1290, DepartmentMeat, 0},
		{"FRANGO INT CONG KG", "KG", 1149, DepartmentMeat, 0},
		{"PATINHO BOV KG", "KG", 4290, DepartmentMeat, 0},
		{"ACEM BOV MOIDO KG", "KG", 3290, DepartmentMeat, 0},
		{"ALCATRA BOV KG", "KG", 5490, DepartmentMeat, 0},
		{"PICANHA BOV KG", "KG", 7990, DepartmentMeat, 0},
		{"CONTRA FILE BOV KG", "KG", 5290, DepartmentMeat, 0},
		{"COSTELA BOV KG", "KG", 2990, DepartmentMeat, 0},
		{"LING TOSCANA SADIA KG", "KG", 2390, DepartmentMeat, 0},
		{"LING CALAB PERDIGAO KG", "KG", 2890, DepartmentMeat, 0},
		{"PERNIL SUINO S/OSSO KG", "KG", 2190, DepartmentMeat, 0},
		{"BACON MANTA KG", "KG", 3690, DepartmentMeat, 0},
		{"SALSICHA HOT DOG 500G", "PCT", 899, DepartmentMeat, 0},
		{"PRESUNTO COZ FAT KG", "KG", 3290, DepartmentMeat, 0},
		{"MORTADELA DEFUMADA KG", "KG", 1990, DepartmentMeat, 0},
		{"PEITO PERU FAT 200G", "UN", 1299, DepartmentMeat, 0},
		{"FILE TILAPIA CONG 800G", "PCT", 3890, DepartmentMeat, 0},
		{"HAMB BOV SEARA 672G", "CX", 2190, DepartmentMeat, 0},
		{"NUGGETS SADIA 300G", "CX", 1290, DepartmentMeat, 0},
		{"LASANHA BOLON 600G", "CX", 1690, DepartmentMeat, 0},
		{"PIZZA MUSS 460G", "UN", 1790, DepartmentMeat, 0},
		{"REFRI COCA COLA PET 2L", "UN", 1099, DepartmentDrinks, 0},
		{"REFRI COCA COLA LT 350ML", "LT", 429, DepartmentDrinks, 0},
		{"REFRI GUARANA ANT PET 2L", "UN", 899, DepartmentDrinks, 0},
		{"REFRI GUARANA ZERO LT 350ML", "LT", 389, DepartmentDrinks, 0},
		{"AGUA MIN S/GAS 1,5L", "UN", 299, DepartmentDrinks, 0},
		{"AGUA MIN C/GAS 500ML", "UN", 219, DepartmentDrinks, 0},
		{"AGUA COCO KERO COCO 1L", "UN", 1399, DepartmentDrinks, 0},
		{"SUCO UVA INT AURORA 1,5L", "UN", 1990, DepartmentDrinks, 0},
		{"SUCO DEL VALLE LAR 1L", "UN", 899, DepartmentDrinks, 0},
		{"REFRESCO TANG LAR 18G", "UN", 139, DepartmentDrinks, 0},
		{"CHA MATTE LEAO 1,5L", "UN", 799, DepartmentDrinks, 0},
		{"ENERG MONSTER 473ML", "LT", 1099, DepartmentDrinks, 0},
		{"ISOTON GATORADE 500ML", "UN", 749, DepartmentDrinks, 0},
		{"CERV SKOL LT 350ML", "LT", 399, DepartmentDrinks, 0},
		{"CERV HEINEKEN LN 330ML", "UN", 699, DepartmentDrinks, 0},
		{"CERV BRAHMA DUPLO MALTE 12X350", "CX", 4788, DepartmentDrinks, 0},
		{"VINHO TTO CASILLERO 750ML", "UN", 5490, DepartmentDrinks, 0},
		{"CACHACA 51 965ML", "UN", 1390, DepartmentDrinks, 0},
		{"DET YPE NEUTRO 500ML", "UN", 279, DepartmentCleaning, 0},
		{"SABAO PO OMO 1,6KG", "CX", 2499, DepartmentCleaning, 0},
		{"SABAO BARRA YPE 5X180G", "PCT", 1249, DepartmentCleaning, 0},
		{"AMAC DOWNY 1L", "UN", 1799, DepartmentCleaning, 0},
		{"AGUA SANIT QBOA 2L", "UN", 799, DepartmentCleaning, 0},
		{"DESINF PINHO SOL 500ML", "UN", 799, DepartmentCleaning, 0},
		{"ALCOOL 70 1L", "UN", 999, DepartmentCleaning, 0},
		{"LIMP VEJA MULTIUSO 500ML", "UN", 649, DepartmentCleaning, 0},
		{"ESPONJA BOMBRIL C/4", "PCT", 649, DepartmentCleaning, 0},
		{"LA ACO BOMBRIL C/8", "PCT", 299, DepartmentCleaning, 0},
		{"SACO LIXO 50L C/30", "PCT", 1490, DepartmentCleaning, 0},
		{"PAPEL TOALHA SNOB C/2", "PCT", 699, DepartmentCleaning, 0},
		{"PAPEL HIG NEVE 30M C/12", "FD", 2290, DepartmentCleaning, 0},
		{"PAPEL ALUMINIO 7,5M", "UN", 699, DepartmentCleaning, 0},
		{"FILTRO CAFE MELITTA 103", "CX", 549, DepartmentCleaning, 0},
		{"INSET SBP 380ML", "UN", 1499, DepartmentCleaning, 0},
		{"VELA N5 C/8", "PCT", 799, DepartmentCleaning, 0},
		{"FOSFORO FIAT LUX C/10", "PCT", 549, DepartmentCleaning, 0},
		{"CREME DENTAL COLGATE 90G", "UN", 425, DepartmentHygiene, 0},
		{"ESC DENTAL ORAL B", "UN", 899, DepartmentHygiene, 0},
		{"SABONETE DOVE 90G", "UN", 399, DepartmentHygiene, 0},
		{"SHAMP SEDA 325ML", "UN", 1199, DepartmentHygiene, 0},
		{"COND PANTENE 175ML", "UN", 1690, DepartmentHygiene, 0},
		{"DESOD REXONA AER 150ML", "UN", 1399, DepartmentHygiene, 0},
		{"ABS ALWAYS C/8", "PCT", 699, DepartmentHygiene, 0},
		{"FRALDA PAMPERS G C/30", "PCT", 4990, DepartmentHygiene, 0},
		{"LENÇO UMED HUGGIES C/48", "PCT", 1290, DepartmentHygiene, 0},
		{"APAR BARB GILLETTE C/2", "PCT", 1190, DepartmentHygiene, 0},
		{"ALGODAO APOLO 50G", "PCT", 549, DepartmentHygiene, 0},
		{"HASTE COTONETE C/75", "CX", 449, DepartmentHygiene, 0},
		{"ENX BUCAL LISTERINE 500ML", "UN", 2290, DepartmentHygiene, 0},
		{"PROT SOLAR FPS50 120ML", "UN", 4590, DepartmentHygiene, 0},
		{"RACAO GOLDEN CAO AD 3KG", "PCT", 7490, DepartmentPet, 0},
		{"RACAO WHISKAS GATO 85G", "UN", 349, DepartmentPet, 0},
		{"RACAO PEDIGREE 1KG", "PCT", 2190, DepartmentPet, 0},
		{"AREIA GATO PIPICAT 4KG", "PCT", 1490, DepartmentPet, 0},
	}
	for i := range products {
		products[i].Seq = i + 1
	}
	return products
}
