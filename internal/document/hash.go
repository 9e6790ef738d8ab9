package document

import (
	"encoding/binary"
	"math"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

var _ invoice.SamePicture = SamePicture

// The perceptual hash is a small picture of the picture: its local contrasts in a grid, four bits a cell. Bits of a coarser
// hash do not do here: receipts of one store have the same header, footer and line pitch, and differ in what is printed
// between them, so cells must be about a line high and a few letters wide.
const (
	hashVersion = 1
	hashColumns = 32
	hashRows    = 96
	hashCells   = hashColumns * hashRows
	hashHeader  = 3 // version, aspect as 16 bits
	hashSize    = hashHeader + hashCells/2

	// A cell's contrast is against its neighbours up to this many cells away: shade and brightness fall out.
	hashReach = 2
	// Contrasts are cut at this many standard deviations, and 15 steps cover both signs.
	hashClip = 2.5

	// Two hashes are compared block by block. Where the ink differs in one block the pictures differ, however much of the
	// rest agrees.
	blockColumns = 8
	blockRows    = 8
	// sameWhole and sameBlock are the least correlations of the same picture, over all and in the worst block that has
	// contrast to speak of. Calibrated in hash_test.go.
	sameWhole = 0.90
	sameBlock = 0.65
	// blockEnergy is the mean square contrast, in steps, below which a block is mostly noise.
	blockEnergy = 4.0
	// sameAspect is the largest ratio between the shapes of the same picture: scaling rounds to whole pixels.
	sameAspect = 1.03
)

// hashPicture is the perceptual hash of an upright picture: hashSize bytes.
func hashPicture(p plane) []byte {
	cells := cellMeans(p)
	contrast := make([]float64, hashCells)
	var square float64
	for y := range hashRows {
		for x := range hashColumns {
			sum, n := 0.0, 0.0
			for v := max(0, y-hashReach); v <= min(hashRows-1, y+hashReach); v++ {
				for u := max(0, x-hashReach); u <= min(hashColumns-1, x+hashReach); u++ {
					sum += cells[v*hashColumns+u]
					n++
				}
			}
			c := cells[y*hashColumns+x] - sum/n
			contrast[y*hashColumns+x] = c
			square += c * c
		}
	}
	deviation := math.Sqrt(square / hashCells)

	hash := make([]byte, hashSize)
	hash[0] = hashVersion
	binary.BigEndian.PutUint16(hash[1:], aspect(p))
	for i, c := range contrast {
		step := 0.0
		if deviation > 0 {
			step = math.Round(7 * max(-1, min(1, c/(hashClip*deviation))))
		}
		hash[hashHeader+i/2] |= byte(int(step)+8) << (4 * (i % 2)) //nolint:gosec // G115: step is from -7 to 7
	}
	return hash
}

// aspect is width to height on a logarithmic scale, so that a ratio is a difference.
func aspect(p plane) uint16 {
	if p.w == 0 || p.h == 0 {
		return 0
	}
	return uint16(math.Round(32768 + 1000*math.Log(float64(p.w)/float64(p.h))))
}

// cellMeans is the mean brightness of each cell. Cells that are smaller than a pixel take the pixel they lie on.
func cellMeans(p plane) []float64 {
	cells := make([]float64, hashCells)
	if p.w == 0 || p.h == 0 {
		return cells
	}
	for y := range hashRows {
		top := y * p.h / hashRows
		bottom := max(top+1, (y+1)*p.h/hashRows)
		for x := range hashColumns {
			left := x * p.w / hashColumns
			right := max(left+1, (x+1)*p.w/hashColumns)
			sum := 0
			for v := top; v < bottom; v++ {
				for _, b := range p.pix[v*p.stride+left : v*p.stride+right] {
					sum += int(b)
				}
			}
			cells[y*hashColumns+x] = float64(sum) / float64((bottom-top)*(right-left))
		}
	}
	return cells
}

// SamePicture says whether two perceptual hashes are of the same picture, encoded anew, scaled, a little brighter or noisier.
// Two photos of one receipt are not the same picture. It is false for what is not a hash of this version.
func SamePicture(a, b []byte) bool {
	if len(a) != hashSize || len(b) != hashSize || a[0] != hashVersion || b[0] != hashVersion {
		return false
	}
	shape := int(binary.BigEndian.Uint16(a[1:])) - int(binary.BigEndian.Uint16(b[1:]))
	if math.Abs(float64(shape)) > 1000*math.Log(sameAspect) {
		return false
	}
	whole, worst := likeness(a, b)
	return whole >= sameWhole && worst >= sameBlock
}

// likeness is the correlation of two hashes over all cells, and in the block where it is least. Blocks in which neither
// picture has contrast say nothing and are left out; a picture without any contrast is like no other.
func likeness(a, b []byte) (whole, worst float64) {
	worst = 1
	var ab, aa, bb int
	for top := 0; top < hashRows; top += blockRows / 2 {
		for left := 0; left < hashColumns; left += blockColumns / 2 {
			if top+blockRows > hashRows || left+blockColumns > hashColumns {
				continue
			}
			xy, xx, yy := products(a, b, left, top)
			if float64(max(xx, yy)) >= blockEnergy*blockColumns*blockRows {
				worst = min(worst, correlation(xy, xx, yy))
			}
			if top%blockRows == 0 && left%blockColumns == 0 {
				ab, aa, bb = ab+xy, aa+xx, bb+yy
			}
		}
	}
	return correlation(ab, aa, bb), worst
}

func correlation(xy, xx, yy int) float64 {
	if xx == 0 || yy == 0 {
		return 0
	}
	return float64(xy) / math.Sqrt(float64(xx)*float64(yy))
}

// products are the sums of products of the contrasts in one block.
func products(a, b []byte, left, top int) (xy, xx, yy int) {
	for y := top; y < top+blockRows; y++ {
		for x := left; x < left+blockColumns; x++ {
			i := y*hashColumns + x
			shift := 4 * (i % 2)
			u := int(a[hashHeader+i/2]>>shift&15) - 8
			v := int(b[hashHeader+i/2]>>shift&15) - 8
			xy, xx, yy = xy+u*v, xx+u*u, yy+v*v
		}
	}
	return xy, xx, yy
}
