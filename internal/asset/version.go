package asset

import (
	"cmp"
	"slices"
	"strings"
)

// earlier are the words of versions that come before the version without them: 17rc1 before 17.
func earlier() []string {
	return []string{"alpha", "beta", "dev", "m", "pre", "preview", "rc", "snapshot"}
}

// a piece of a version is a number, or letters.
type piece struct {
	text   string
	number bool
}

// pieces splits a version at all that is no digit and no letter, and where digits meet letters. A leading v says nothing.
func pieces(version string) (all []piece) {
	v := strings.ToLower(strings.TrimSpace(version))
	if len(v) > 1 && v[0] == 'v' && v[1] >= '0' && v[1] <= '9' {
		v = v[1:]
	}
	const none, digit, letter = 0, 1, 2
	last := none
	for _, r := range v {
		is := letter
		switch {
		case r >= '0' && r <= '9':
			is = digit
		case strings.ContainsRune(".-_+~:/ ", r):
			is = none
		}
		if is != none && is != last {
			all = append(all, piece{number: is == digit})
		}
		if last = is; is != none {
			all[len(all)-1].text += string(r)
		}
	}
	return all
}

// weight says what a piece is beside the end of a version and a number: a word of what comes earlier, the end, another word, a number.
func (p *piece) weight() int {
	switch {
	case p == nil || p.number && strings.Trim(p.text, "0") == "":
		return 1 // 16 and 16.0 are the same
	case p.number:
		return 3
	case slices.Contains(earlier(), p.text):
		return 0
	}
	return 2
}

// CompareVersions tells which of two versions is the older one. Numbers count as numbers, and what is missing as 0: 16.10 is newer than 16.9, and 16 is
// 16.0. Letters after a number are newer than it (1.1.1k than 1.1.1), but for alpha, beta, rc and the like, which are older.
func CompareVersions(a, b string) int {
	as, bs := pieces(a), pieces(b)
	at := func(all []piece, n int) *piece {
		if n < len(all) {
			return &all[n]
		}
		return nil
	}
	for n := range max(len(as), len(bs)) {
		x, y := at(as, n), at(bs, n)
		if c := cmp.Compare(x.weight(), y.weight()); c != 0 {
			return c
		}
		if x == nil || y == nil || x.weight() == 1 {
			continue
		}
		xs, ys := x.text, y.text
		if x.number {
			xs, ys = strings.TrimLeft(xs, "0"), strings.TrimLeft(ys, "0")
			if c := cmp.Compare(len(xs), len(ys)); c != 0 {
				return c
			}
		}
		if c := strings.Compare(xs, ys); c != 0 {
			return c
		}
	}
	return 0
}

// A Range is a set of versions: one, such as 16.4, or all that meet every one of some bounds, such as >=16 <16.5.
type Range string

// bounds are the parts of a range, none where it is not well-formed.
func (r Range) bounds() (all [][2]string) {
	for part := range strings.FieldsSeq(string(r)) {
		version := strings.TrimLeft(part, "<>=")
		sign := cmp.Or(strings.TrimSuffix(part, version), "=")
		if !slices.Contains([]string{"<", "<=", ">", ">=", "="}, sign) || len(pieces(version)) == 0 {
			return nil
		}
		all = append(all, [2]string{sign, version})
	}
	return all
}

// Valid tells whether a range says which versions it means.
func (r Range) Valid() bool { return len(r.bounds()) > 0 }

// Has tells whether a version is in it.
func (r Range) Has(version string) bool {
	bounds := r.bounds()
	for _, b := range bounds {
		fits, c := false, CompareVersions(version, b[1])
		switch b[0] {
		case "<":
			fits = c < 0
		case "<=":
			fits = c <= 0
		case ">":
			fits = c > 0
		case ">=":
			fits = c >= 0
		default:
			fits = c == 0
		}
		if !fits {
			return false
		}
	}
	return len(bounds) > 0
}
