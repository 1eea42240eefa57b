package pdf

import "fmt"

// A4 in points, and what of it a report fills.
const (
	pageWidth, pageHeight = 595.28, 841.89
	left, right           = 54.0, pageWidth - 54.0
	top, bottom           = 64.0, pageHeight - 58.0
	measure               = right - left
)

// maxPages bounds a document: whoever reads more of it at once?
const maxPages = 1000

var errTooLong = fmt.Errorf("document is longer than %d pages", maxPages)

// A colour is one that the HTML form of a report has too.
type colour [3]uint8

var (
	ink    = colour{0x1a, 0x22, 0x30}
	soft   = colour{0x5a, 0x66, 0x78}
	border = colour{0xd5, 0xdc, 0xe6}
	faint  = colour{0xf5, 0xf7, 0xfa}
	accent = colour{0x1f, 0x4e, 0x8c}
	alarm  = colour{0xa8, 0x20, 0x1f}
)

// A mark is one thing that is drawn: text on its base line, or without text a rectangle from its upper left corner.
type mark struct {
	x, y, w, h float64
	text       string
	size       float64
	ink        colour
	style
}

// A strip is as much as stands on one page in any case. Its marks lie below its upper edge.
type strip struct {
	above   float64 // left empty, unless it is the first of a page
	height  float64
	marks   []mark
	tied    bool   // stands on one page with the next strip
	head    *strip // is drawn again where this strip is the first of a page
	heading string // of which it is the first line
}

// A sheet is one page, and the headings that begin on it.
type sheet struct {
	marks    []mark
	headings []mark
}

// paginate puts strips on pages.
func paginate(strips []strip) ([]sheet, error) {
	pages := []sheet{{}}
	y := top
	draw := func(s *strip) {
		p := &pages[len(pages)-1]
		for _, m := range s.marks {
			m.y += y
			p.marks = append(p.marks, m)
		}
		if s.heading != "" {
			p.headings = append(p.headings, mark{y: y, text: s.heading})
		}
		y += s.height
	}
	for n := range strips {
		s := &strips[n]
		need := s.above + s.height
		if n == 0 || !strips[n-1].tied {
			if whole := together(strips[n:]); whole <= bottom-top {
				need = max(need, whole)
			}
		}
		if y > top && y+need > bottom {
			if len(pages) == maxPages {
				return nil, errTooLong
			}
			pages = append(pages, sheet{})
			if y = top; s.head != nil {
				draw(s.head)
			}
		}
		if y > top {
			y += s.above
		}
		draw(s)
	}
	return pages, nil
}

// together is the height of the strips that stand on one page with the first.
func together(strips []strip) (height float64) {
	for n := range strips {
		if height += strips[n].above + strips[n].height; !strips[n].tied {
			break
		}
	}
	return height
}
