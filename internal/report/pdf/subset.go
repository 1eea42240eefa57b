package pdf

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
)

// subset returns the font with the characters that are drawn alone, which must be in order. gopdf leaves out drawings too, but
// keeps the tables of all 14,000: in every file they would be three quarters of the bytes, and of the time.
func (f *face) subset(runes []rune) []byte {
	all := f.GetTTFParser()
	tables, data := all.GetTables(), all.FontData()
	table := func(tag string) []byte {
		t := tables[tag]
		return data[t.Offset : t.Offset+t.Length]
	}
	kept := []uint{0} // by their new numbers; 0 is what stands for all others
	numbers := map[uint]uint16{0: 0}
	number := func(glyph uint) uint16 {
		n, ok := numbers[glyph]
		if !ok {
			n = uint16(len(kept))
			numbers[glyph] = n
			kept = append(kept, glyph)
		}
		return n
	}
	codes := make([]uint16, len(runes))
	for i, r := range runes {
		glyph, _ := f.glyph(r)
		codes[i] = number(glyph)
	}
	var glyf, loca, hmtx []byte
	metrics := table("hmtx")
	for n := 0; n < len(kept); n++ { // parts of drawings are added on the way
		g := kept[n]
		loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
		drawing := bytes.Clone(table("glyf")[all.LocaTable[g]:all.LocaTable[g+1]])
		renumber(drawing, number)
		glyf = append(glyf, drawing...)
		last := min(g, all.NumberOfHMetrics()-1) // the drawings after it are as wide
		hmtx = append(hmtx, metrics[4*last:4*last+4]...)
	}
	loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
	hhea, maxp := bytes.Clone(table("hhea")), bytes.Clone(table("maxp"))
	binary.BigEndian.PutUint16(hhea[34:], uint16(len(kept)))
	binary.BigEndian.PutUint16(maxp[4:], uint16(len(kept)))
	return assemble(map[string][]byte{
		"glyf": glyf, "loca": loca, "hmtx": hmtx, "hhea": hhea, "maxp": maxp, "cmap": cmap(runes, codes), "head": table("head"),
		"name": table("name"), "OS/2": table("OS/2"),
		"post": table("post")[:32], // without the names of all drawings
	})
}

// renumber gives the parts of a drawing that is put together from others their new numbers.
func renumber(drawing []byte, number func(uint) uint16) {
	const head, words, scale, more, scales, matrix = 10, 1, 8, 32, 64, 128
	if len(drawing) == 0 || int16(binary.BigEndian.Uint16(drawing)) >= 0 {
		return
	}
	for at := head; ; {
		flags := binary.BigEndian.Uint16(drawing[at:])
		part := drawing[at+2:]
		binary.BigEndian.PutUint16(part, number(uint(binary.BigEndian.Uint16(part))))
		at += 6
		for _, x := range []struct{ flag, size int }{{words, 2}, {scale, 2}, {scales, 4}, {matrix, 8}} {
			if int(flags)&x.flag != 0 {
				at += x.size
			}
		}
		if flags&more == 0 {
			return
		}
	}
}

// tagged names a font that is a part of another, as readers want it: by what is in it.
func tagged(name string, font []byte) string {
	sum := sha256.Sum256(font)
	for i := range sum {
		sum[i] = 'A' + sum[i]%26
	}
	return string(sum[:6]) + "+" + name
}

// cmap says which character has which number, by segments of both that count up together.
func cmap(runes []rune, codes []uint16) []byte {
	var starts, ends, deltas []uint16
	for i, r := range runes {
		delta := codes[i] - uint16(r)
		if n := len(ends) - 1; n >= 0 && ends[n]+1 == uint16(r) && deltas[n] == delta {
			ends[n]++
			continue
		}
		starts, ends, deltas = append(starts, uint16(r)), append(ends, uint16(r)), append(deltas, delta)
	}
	starts, ends, deltas = append(starts, 0xffff), append(ends, 0xffff), append(deltas, 1)
	const unicode, start, format = 3, 12, 4
	n := uint16(len(ends))
	b := []uint16{0, 1, unicode, 1, 0, start, format, 16 + 8*n, 0, 2 * n, 0, 0, 0} // nobody searches by the last three
	b = slices.Concat(b, ends, []uint16{0}, starts, deltas, make([]uint16, n))
	var out []byte
	for _, v := range b {
		out = binary.BigEndian.AppendUint16(out, v)
	}
	return out
}

// assemble makes a font of tables.
func assemble(tables map[string][]byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, 0x00010000)
	out = binary.BigEndian.AppendUint16(out, uint16(len(tables)))
	out = append(out, make([]byte, 6)...) // nobody searches by them
	var body []byte
	for _, tag := range slices.Sorted(maps.Keys(tables)) {
		out = append(out, tag...)
		out = append(out, 0, 0, 0, 0) // nobody adds them up
		out = binary.BigEndian.AppendUint32(out, uint32(12+16*len(tables)+len(body)))
		out = binary.BigEndian.AppendUint32(out, uint32(len(tables[tag])))
		body = append(body, tables[tag]...)
		body = append(body, make([]byte, (4-len(body)%4)%4)...)
	}
	return append(out, body...)
}
